//! Answers that faults and weather put in place of the true one, and what faults ask of handlers.

use serde_json::json;

use crate::clock::http_date;
use crate::fault::{Fault, RetryAfter, Strike};
use crate::message::{Ask, Bend, ErasureBend, PageBend, Reply};
use crate::twin::{Refusal, Twin};
use crate::weather::Plight;

/// The address quoted where the call names none.
const CANARY: &str = "canary@example.org";

const MAINTENANCE: &str =
    "<!doctype html><html><head><title>Maintenance</title></head><body><h1>We will be back soon</h1></body></html>";

/// The answer that this fault gives without carrying the call out; `None` for faults that carry it out.
pub(crate) fn instead<T: Twin>(fault: &Fault, ask: &Ask, now_ms: i64) -> Option<Reply> {
    let reply = match fault {
        Fault::RateLimited(after) => too_many::<T>(after, now_ms),
        Fault::ServerError(status) => T::refusal(&Refusal::Server(*status)),
        Fault::ClientError(status) => T::refusal(&Refusal::Client(*status)),
        Fault::Unauthorized => T::refusal(&Refusal::Unauthorized),
        Fault::AddressInError => T::refusal(&Refusal::Quoting(ask.any_address().unwrap_or_else(|| CANARY.to_owned()))),
        Fault::HtmlPage => Reply::typed(200, "text/html; charset=utf-8", MAINTENANCE.to_owned()),
        Fault::ErrorInside => Reply::json(200, &json!({"error": "the service is busy"})),
        _ => return None,
    };
    Some(reply)
}

/// The answer to a call that runs into the weather.
pub(crate) fn suffered<T: Twin>(plight: &Plight, now_ms: i64) -> Reply {
    match plight {
        Plight::Outage => T::refusal(&Refusal::Server(503)),
        Plight::Storm(after) => too_many::<T>(after, now_ms),
        Plight::Expired => T::refusal(&Refusal::Unauthorized),
    }
}

fn too_many<T: Twin>(after: &RetryAfter, now_ms: i64) -> Reply {
    let reply = T::refusal(&Refusal::RateLimited);
    match after {
        RetryAfter::Bare => reply,
        RetryAfter::Seconds(seconds) => reply.with("retry-after", seconds.to_string()),
        RetryAfter::Date(seconds) => {
            reply.with("retry-after", http_date(now_ms.saturating_add(i64::from(*seconds) * 1_000)))
        }
        RetryAfter::Text(text) => reply.with("retry-after", text.clone()),
    }
}

/// What this fault asks of the handler.
pub(crate) fn bend(strike: Strike) -> Bend {
    let page = match strike.fault {
        Fault::EmptyPage => PageBend::Empty,
        Fault::FalseEnd => PageBend::Last,
        Fault::ShortPage(rows) => PageBend::Short(rows),
        Fault::CursorLoop(length) => PageBend::Loop { places: strike.places, length, turn: strike.turn },
        Fault::RefuseRows(refused_rows) => return Bend { refused_rows, ..Bend::default() },
        Fault::ArchiveInstead => return Bend { erasure: ErasureBend::Archive, ..Bend::default() },
        Fault::HideErased => return Bend { erasure: ErasureBend::Hide, ..Bend::default() },
        _ => PageBend::Straight,
    };
    Bend { page, ..Bend::default() }
}
