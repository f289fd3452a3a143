//! The control endpoint of a twin that runs in another process: faults, weather, calls, rates, people, time, reset.
//!
//! It needs no credentials, is not counted as a call, and no fault strikes it. It is only ever served on the loopback
//! address that the twin itself is on.

use std::time::Duration;

use hyper::Method;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::fault::{RetryAfter, Rule};
use crate::message::{Ask, Reply};
use crate::server::Server;
use crate::twin::Twin;
use crate::weather::SPELL_MAX;

/// The longest jump in time that one call may ask for: ten years.
const ADVANCE_S_MAX: u64 = 315_360_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    seconds: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Outage {
    on: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Storm {
    calls: u32,
    #[serde(default = "bare")]
    retry_after: RetryAfter,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expiry {
    #[serde(default = "once")]
    calls: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Moment {
    now: Timestamp,
}

/// Whether a call is for the control endpoint.
pub(crate) fn is_for(path: &str) -> bool {
    path.starts_with("/_control/")
}

/// Answers it.
pub(crate) fn answer<T: Twin>(server: &Server<T>, ask: &Ask) -> Reply {
    let name = ask.segments.get(1).map_or("", String::as_str);
    let done = match (&ask.method, name) {
        (&Method::POST, "fault") => fault(server, ask),
        (&Method::DELETE, "fault") => {
            server.core.faults().clear();
            Ok(json!({"ok": true}))
        }
        (&Method::POST, "outage") => outage(server, ask),
        (&Method::POST, "storm") => storm(server, ask),
        (&Method::POST, "expire") => expire(server, ask),
        (&Method::GET, "calls") => Ok(calls(server)),
        (&Method::GET, "rates") => Ok(json!(server.core.gate.rates())),
        (&Method::POST, "reset") => {
            server.core.reset();
            server.write().reseed();
            Ok(json!({"ok": true}))
        }
        (&Method::POST, "act") => act(server, ask),
        (&Method::POST, "advance") => advance(server, ask),
        (&Method::POST, "clock") => set_clock(server, ask),
        (&Method::GET, "clock") => Ok(now(server)),
        _ => {
            return refuse(
                404,
                "the control endpoint has GET calls, rates and clock, POST fault, outage, storm, expire, act, advance, \
                 clock and reset, and DELETE fault, each under /_control/",
            );
        }
    };
    match done {
        Ok(value) => Reply::json(200, &value),
        Err(mend) => refuse(400, &mend),
    }
}

fn fault<T: Twin>(server: &Server<T>, ask: &Ask) -> Result<Value, String> {
    let rule: Rule = parse(ask)?;
    server.core.faults().set(rule).map_err(|error| error.to_string())?;
    Ok(json!({"ok": true}))
}

fn calls<T: Twin>(server: &Server<T>) -> Value {
    let log = server.core.calls();
    let tally = log.tally();
    json!({
        "calls": log.kept(),
        "total": tally.calls,
        "writes": tally.writes,
        "peak_in_flight": server.core.gate.peak(),
        "peak_per_second": server.core.gate.rates().peak_per_second,
    })
}

fn act<T: Twin>(server: &Server<T>, ask: &Ask) -> Result<Value, String> {
    let act: T::Act = parse(ask)?;
    server.write().act(act).map_err(|error| error.to_string())?;
    Ok(json!({"ok": true}))
}

fn advance<T: Twin>(server: &Server<T>, ask: &Ask) -> Result<Value, String> {
    let Advance { seconds } = parse(ask)?;
    if seconds > ADVANCE_S_MAX {
        return Err(format!("advance the clock: seconds must be at most {ADVANCE_S_MAX}"));
    }
    server.core.clock.advance(Duration::from_secs(seconds));
    Ok(now(server))
}

fn set_clock<T: Twin>(server: &Server<T>, ask: &Ask) -> Result<Value, String> {
    let moment: Moment = parse(ask)?;
    server.core.clock.set(moment.now);
    Ok(now(server))
}

fn now<T: Twin>(server: &Server<T>) -> Value {
    json!({"ok": true, "now": server.core.clock.now().to_string()})
}

fn outage<T: Twin>(server: &Server<T>, ask: &Ask) -> Result<Value, String> {
    let Outage { on } = parse(ask)?;
    server.core.weather().set_outage(on);
    Ok(json!({"ok": true}))
}

fn storm<T: Twin>(server: &Server<T>, ask: &Ask) -> Result<Value, String> {
    let Storm { calls, retry_after } = parse(ask)?;
    server.core.weather().storm(within(calls)?, retry_after);
    Ok(json!({"ok": true}))
}

fn expire<T: Twin>(server: &Server<T>, ask: &Ask) -> Result<Value, String> {
    let Expiry { calls } = parse(ask)?;
    server.core.weather().expire(within(calls)?);
    server.read().expire();
    Ok(json!({"ok": true}))
}

fn within(calls: u32) -> Result<u32, String> {
    let fits = (1..=SPELL_MAX).contains(&calls);
    fits.then_some(calls).ok_or_else(|| format!("set the weather: calls must lie between 1 and {SPELL_MAX}"))
}

fn once() -> u32 {
    1
}

fn bare() -> RetryAfter {
    RetryAfter::Bare
}

/// The body as this type. The words of serde name fields and variants, and the caller wrote the body by hand.
fn parse<D: DeserializeOwned>(ask: &Ask) -> Result<D, String> {
    serde_json::from_slice(&ask.body).map_err(|error| format!("read the JSON body: {error}"))
}

fn refuse(status: u16, mend: &str) -> Reply {
    Reply::json(status, &json!({"ok": false, "mend": mend}))
}
