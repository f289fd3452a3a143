//! The control endpoint of a twin that runs in another process: faults, calls, people, time, reset.
//!
//! It needs no credentials, is not counted as a call, and no fault strikes it. It is only ever served on the loopback
//! address that the twin itself is on.

use std::time::Duration;

use hyper::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::fault::Rule;
use crate::message::{Ask, Reply};
use crate::server::Server;
use crate::twin::Twin;

/// The longest jump in time that one call may ask for: ten years.
const ADVANCE_S_MAX: u64 = 315_360_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    seconds: u64,
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
        (&Method::GET, "calls") => Ok(calls(server)),
        (&Method::POST, "reset") => {
            server.core.reset();
            server.write().reseed();
            Ok(json!({"ok": true}))
        }
        (&Method::POST, "act") => act(server, ask),
        (&Method::POST, "advance") => advance(server, ask),
        _ => {
            return refuse(
                404,
                "the control endpoint has POST and DELETE /_control/fault, GET /_control/calls, \
                                POST /_control/reset, POST /_control/act and POST /_control/advance",
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
    Ok(json!({"ok": true, "now": server.core.clock.now().to_string()}))
}

/// The body as this type. The words of serde name fields and variants, and the caller wrote the body by hand.
fn parse<D: DeserializeOwned>(ask: &Ask) -> Result<D, String> {
    serde_json::from_slice(&ask.body).map_err(|error| format!("read the JSON body: {error}"))
}

fn refuse(status: u16, mend: &str) -> Reply {
    Reply::json(status, &json!({"ok": false, "mend": mend}))
}
