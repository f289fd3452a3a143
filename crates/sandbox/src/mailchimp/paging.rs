//! Offset paging as the mail platform words it: `count` and `offset`.

use super::problem::Trouble;
use crate::message::Ask;
use crate::offset::Window;

const COUNT_DEFAULT: usize = 10;
const COUNT_MAX: usize = 1_000;

/// What the call asks for, bent as a fault wants it.
pub(super) fn window(ask: &Ask) -> Result<Window, Trouble> {
    let count = number(ask, "count")?.unwrap_or(COUNT_DEFAULT);
    if count > COUNT_MAX {
        return Err(Trouble::invalid("count", "must be at most 1000"));
    }
    let offset = number(ask, "offset")?.unwrap_or(0);
    Ok(Window::bent((offset, count), &ask.bend.page))
}

/// Where in its listing a call wants to be.
pub(super) fn place(ask: &Ask) -> String {
    ask.query("offset").unwrap_or("0").to_owned()
}

fn number(ask: &Ask, name: &'static str) -> Result<Option<usize>, Trouble> {
    let parse = |text: &str| text.parse().map_err(|_| Trouble::invalid(name, "must be a whole number, zero or more"));
    ask.query(name).map(parse).transpose()
}
