//! Offset paging as the campaign platform words it: `limit`, `offset`, and `sort` by creation only, the newest first
//! unless asked otherwise.

use jiff::Timestamp;

use super::refuse::Trouble;
use crate::message::Ask;
use crate::offset::Window;

/// How many rows a page holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limit {
    /// Where nothing is asked for.
    pub(super) usual: usize,
    pub(super) most: usize,
}

/// What the call asks for, bent as a fault wants it.
pub(super) fn window(ask: &Ask, limit: Limit) -> Result<Window, Trouble> {
    let count = number(ask, "limit")?.unwrap_or(limit.usual);
    if count > limit.most {
        return Err(Trouble::out_of_range(format!("limit must be at most {}", limit.most)));
    }
    let offset = number(ask, "offset")?.unwrap_or(0);
    Ok(Window::bent((offset, count), &ask.bend.page))
}

/// Where in its listing a call wants to be.
pub(super) fn place(ask: &Ask) -> String {
    ask.query("offset").unwrap_or("0").to_owned()
}

/// Whether the newest record comes first.
pub(super) fn descending(ask: &Ask) -> Result<bool, Trouble> {
    match ask.query("sort") {
        None | Some("desc") => Ok(true),
        Some("asc") => Ok(false),
        Some(_) => Err(Trouble::invalid("sort is neither asc nor desc")),
    }
}

/// The rows in the order that the call asks for.
pub(super) fn ordered(mut rows: Vec<u32>, descending: bool) -> Vec<u32> {
    if descending {
        rows.reverse();
    }
    rows
}

/// A moment in milliseconds since 1970: a date and time with its zone.
pub(super) fn moment(ask: &Ask, name: &str) -> Result<Option<i64>, Trouble> {
    let parse = |text: &str| text.parse::<Timestamp>().map(Timestamp::as_millisecond);
    let wrong = |_| Trouble::invalid(format!("{name} is not a date and time with a zone"));
    ask.query(name).map(parse).transpose().map_err(wrong)
}

fn number(ask: &Ask, name: &str) -> Result<Option<usize>, Trouble> {
    let wrong = |_| Trouble::invalid(format!("{name} must be a whole number, zero or more"));
    ask.query(name).map(str::parse).transpose().map_err(wrong)
}
