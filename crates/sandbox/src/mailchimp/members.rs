//! Reading members: pages of an audience, and one of them.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::json;

use super::fields::{Fields, Part};
use super::lists::audience;
use super::member::Member;
use super::paging::window;
use super::problem::{Trouble, problem};
use super::state::State;
use crate::message::{Answer, Ask, Reply};
use crate::population::{Audience, Status};

/// Which members a listing shows, and in which order. All bounds are exclusive, as the platform's are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Query {
    status: Option<Status>,
    changed_since: Option<i64>,
    changed_before: Option<i64>,
    opted_since: Option<i64>,
    opted_before: Option<i64>,
    left_since: Option<i64>,
    sort: Option<Sort>,
    descending: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    LastChanged,
    OptIn,
    SignUp,
}

pub(super) fn members(state: &State, ask: &Ask) -> Answer {
    let audience = audience(ask)?;
    let window = window(ask)?;
    let query = Query::of(ask)?;
    let roll = state.roll(audience);
    let rows = roll.views.get(roll.version, &format!("{query:?}"), || query.rows(state, audience));
    let fields = Fields::of(ask);
    let part = Part::new(fields.pick())
        .list("members", |pick| window.cut(&rows).iter().filter_map(|at| state.show((audience, *at), pick)).collect())
        .put("list_id", || json!(audience.id()))
        .put("total_items", || json!(window.total(rows.len())))
        .put("_links", || json!([]));
    Ok(Reply::json(200, &part.into_value()))
}

pub(super) fn member(state: &State, ask: &Ask) -> Answer {
    let audience = audience(ask)?;
    let name = ask.param(1);
    let at = state.find_named(audience, name).ok_or_else(|| {
        if state.hides_erased && state.was_erased(audience, name) {
            problem(403, "Forbidden", ("the key may not read this member", None))
        } else {
            Trouble::not_found().into()
        }
    })?;
    let shown = state.show((audience, at), Fields::of(ask).pick()).ok_or_else(Trouble::not_found)?;
    Ok(Reply::json(200, &shown))
}

impl Query {
    fn of(ask: &Ask) -> Result<Self, Trouble> {
        let status = ask.query("status").map(str::parse).transpose();
        let status: Option<Status> = status.map_err(|_| Trouble::invalid("status", "is not a status of a member"))?;
        if ask.query("unsubscribed_since").is_some() && status != Some(Status::Unsubscribed) {
            return Err(Trouble::invalid("unsubscribed_since", "is only allowed with status=unsubscribed"));
        }
        let sort = match ask.query("sort_field") {
            None => None,
            Some("last_changed") => Some(Sort::LastChanged),
            Some("timestamp_opt") => Some(Sort::OptIn),
            Some("timestamp_signup") => Some(Sort::SignUp),
            Some(_) => return Err(Trouble::invalid("sort_field", "is not a field to sort by")),
        };
        let descending = match ask.query("sort_dir") {
            None => false,
            Some(word) if word.eq_ignore_ascii_case("asc") => false,
            Some(word) if word.eq_ignore_ascii_case("desc") => true,
            Some(_) => return Err(Trouble::invalid("sort_dir", "is neither ASC nor DESC")),
        };
        Ok(Self {
            status,
            changed_since: instant(ask, "since_last_changed")?,
            changed_before: instant(ask, "before_last_changed")?,
            opted_since: instant(ask, "since_timestamp_opt")?,
            opted_before: instant(ask, "before_timestamp_opt")?,
            left_since: instant(ask, "unsubscribed_since")?,
            sort,
            descending,
        })
    }

    /// The positions of the members it shows, in its order; members with the same time keep the order of joining.
    fn rows(&self, state: &State, audience: Audience) -> Vec<u32> {
        let shown = state.roll(audience).iter().filter(|(_, member)| self.shows((state, audience), member));
        let Some(sort) = self.sort else { return shown.map(|(at, _)| at).collect() };
        let by = |member: &Member| match sort {
            Sort::LastChanged => member.changed,
            Sort::OptIn => member.opted_in(state.seed_of(audience, member).as_ref()),
            Sort::SignUp => member.signed_up(state.seed_of(audience, member).as_ref()),
        };
        let mut rows: Vec<(i64, u32)> = shown.map(|(at, member)| (by(member), at)).collect();
        rows.sort_unstable();
        if self.descending {
            rows.reverse();
        }
        rows.into_iter().map(|(_, at)| at).collect()
    }

    fn shows(&self, (state, audience): (&State, Audience), member: &Member) -> bool {
        let status = match self.status {
            Some(status) => member.status == status,
            None => member.status != Status::Archived,
        };
        let within = |at: i64, since: Option<i64>, before: Option<i64>| {
            since.is_none_or(|since| at > since) && before.is_none_or(|before| at < before)
        };
        status
            && within(member.changed, self.changed_since, self.changed_before)
            && within(member.changed, self.left_since, None)
            && ((self.opted_since.is_none() && self.opted_before.is_none()) || {
                let opted = member.opted_in(state.seed_of(audience, member).as_ref());
                within(opted, self.opted_since, self.opted_before)
            })
    }
}

/// A moment in ISO 8601, with or without a zone (then UTC), or only a date.
fn instant(ask: &Ask, name: &'static str) -> Result<Option<i64>, Trouble> {
    let Some(text) = ask.query(name) else { return Ok(None) };
    let zoned = text.parse::<Timestamp>().ok();
    let at = zoned.or_else(|| TimeZone::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok());
    at.map(|at| Some(at.as_second())).ok_or_else(|| Trouble::invalid(name, "is not a time in ISO 8601"))
}
