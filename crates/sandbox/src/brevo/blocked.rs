//! The addresses that get no transactional mail, with why and since when. The blocklist for campaigns is another thing.

use serde_json::{Value, json};

use super::contact::{Zone, time};
use super::contacts::day;
use super::paging::{Limit, descending, ordered, window};
use super::refuse::Trouble;
use super::state::State;
use crate::message::{Answer, Ask, Reply};

const BLOCKED: Limit = Limit { usual: 50, most: 100 };
const DAY_MS: i64 = 86_400_000;

/// GET: a page, of all time or between two days.
pub(super) fn list(state: &State, ask: &Ask) -> Answer {
    let window = window(ask, BLOCKED)?;
    let descending = descending(ask)?;
    let between = between(state, ask)?;
    let senders: Vec<&str> = ask.queries("senders").collect();
    let key = format!("blocked {between:?} {senders:?} {descending}");
    let rows = state.views.get(state.version, &key, || {
        let shown = state.blocks().filter(|(_, block)| {
            between.is_none_or(|(from, until)| (from..until).contains(&block.at_ms))
                && (senders.is_empty() || senders.contains(&&*block.sender))
        });
        ordered(shown.map(|(at, _)| at).collect(), descending)
    });
    let shown: Vec<Value> = window.cut(&rows).iter().filter_map(|at| show(state, *at)).collect();
    Ok(Reply::json(200, &json!({"count": window.total(rows.len()), "contacts": shown})))
}

/// DELETE: lets an address have transactional mail again, from every sender.
pub(super) fn lift(state: &mut State, ask: &Ask) -> Answer {
    let email = ask.param(0).to_owned();
    if !email.contains('@') {
        return Err(Trouble::invalid("the path does not name an e-mail address").into());
    }
    if state.unblock(&email) { Ok(Reply::no_content()) } else { Err(Trouble::not_found("Blocked contact").into()) }
}

/// The days asked for, in milliseconds since 1970; the end is exclusive.
fn between(state: &State, ask: &Ask) -> Result<Option<(i64, i64)>, Trouble> {
    match (day(ask, "startDate")?, day(ask, "endDate")?) {
        (None, None) => Ok(None),
        (Some(from), Some(until)) if from > until => Err(Trouble::invalid("startDate is later than endDate")),
        (Some(_), Some(until)) if until > state.clock.now_ms() => Err(Trouble::invalid("endDate lies in the future")),
        (Some(from), Some(until)) => Ok(Some((from, until + DAY_MS))),
        (Some(_), None) => Err(Trouble::missing("endDate is required with startDate")),
        (None, Some(_)) => Err(Trouble::missing("startDate is required with endDate")),
    }
}

fn show(state: &State, at: u32) -> Option<Value> {
    let block = state.block_at(at)?;
    let (code, message) = block.reason.words();
    Some(json!({
        "email": state.blocked_email(block), "senderEmail": block.sender,
        "reason": {"code": code, "message": message}, "blockedAt": time(block.at_ms, Zone::Account),
    }))
}
