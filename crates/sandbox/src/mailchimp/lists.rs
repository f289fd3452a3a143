//! The account, its audiences, their interests, and who reported spam.

use serde_json::{Value, json};

use super::fields::{Fields, Part, Pick};
use super::member::{interests, permissions, time};
use super::paging::window;
use super::problem::Trouble;
use super::state::State;
use crate::hash::hex;
use crate::message::{Answer, Ask, Reply};
use crate::population::{Audience, Status};

/// The audience that the first placeholder names.
pub(super) fn audience(ask: &Ask) -> Result<Audience, Reply> {
    Audience::of_id(ask.param(0)).ok_or_else(|| Trouble::not_found().into())
}

#[expect(clippy::unnecessary_wraps, reason = "every handler has this form")]
pub(super) fn ping(_: &State, _: &Ask) -> Answer {
    Ok(Reply::json(200, &json!({"health_status": "Everything's Chimpy!"})))
}

#[expect(clippy::unnecessary_wraps, reason = "every handler has this form")]
pub(super) fn root(state: &State, ask: &Ask) -> Answer {
    let fields = Fields::of(ask);
    let subscribed: u64 = Audience::ALL.iter().map(|audience| state.roll(*audience).count(Status::Subscribed)).sum();
    let part = Part::new(fields.pick())
        .put("account_id", || json!("5a9db0c3e17f"))
        .put("account_name", || json!("Sandbox"))
        .put("total_subscribers", || json!(subscribed));
    Ok(Reply::json(200, &part.into_value()))
}

pub(super) fn lists(state: &State, ask: &Ask) -> Answer {
    let window = window(ask)?;
    let fields = Fields::of(ask);
    let part = Part::new(fields.pick())
        .list("lists", |pick| window.cut(&Audience::ALL).iter().map(|list| show(state, *list, pick)).collect())
        .put("total_items", || json!(window.total(Audience::ALL.len())))
        .put("_links", || json!([]));
    Ok(Reply::json(200, &part.into_value()))
}

pub(super) fn list(state: &State, ask: &Ask) -> Answer {
    Ok(Reply::json(200, &show(state, audience(ask)?, Fields::of(ask).pick())))
}

fn show(state: &State, audience: Audience, pick: Pick<'_>) -> Value {
    let roll = state.roll(audience);
    Part::new(pick)
        .put("id", || json!(audience.id()))
        .put("web_id", || json!(audience as u32 + 1))
        .put("name", || json!(audience.title()))
        .put("double_optin", || json!(audience == Audience::Letter))
        .put("marketing_permissions", || json!(!permissions(audience).is_empty()))
        .put("email_type_option", || json!(false))
        .put("stats", || {
            json!({
                "member_count": roll.count(Status::Subscribed),
                "unsubscribe_count": roll.count(Status::Unsubscribed),
                "cleaned_count": roll.count(Status::Cleaned),
                "total_contacts": Status::ALL.iter().map(|status| roll.count(*status)).sum::<u64>(),
            })
        })
        .put("_links", || json!([]))
        .into_value()
}

/// The one interest category of an audience.
fn category(audience: Audience) -> (&'static str, &'static str) {
    match audience {
        Audience::Letter => ("51f3a0b7c4", "Topics"),
        Audience::Events => ("7e20c9d815", "Formats"),
    }
}

fn shown_category(audience: Audience) -> Value {
    let (id, title) = category(audience);
    json!({"list_id": audience.id(), "id": id, "title": title, "display_order": 0, "type": "checkboxes"})
}

pub(super) fn categories(_: &State, ask: &Ask) -> Answer {
    let audience = audience(ask)?;
    let window = window(ask)?;
    let fields = Fields::of(ask);
    let all = [shown_category(audience)];
    let part = Part::new(fields.pick())
        .put("list_id", || json!(audience.id()))
        .put("categories", || json!(window.cut(&all)))
        .put("total_items", || json!(window.total(all.len())));
    Ok(Reply::json(200, &part.into_value()))
}

pub(super) fn category_interests(state: &State, ask: &Ask) -> Answer {
    let audience = audience(ask)?;
    let (category, _) = category(audience);
    if ask.param(1) != category {
        return Err(Trouble::not_found().into());
    }
    let window = window(ask)?;
    let fields = Fields::of(ask);
    let named = interests(audience);
    let part = Part::new(fields.pick())
        .list("interests", |_| {
            let count =
                |bit: usize| state.roll(audience).iter().filter(|(_, member)| member.topics >> bit & 1 == 1).count();
            let shown = named.iter().enumerate().map(|(bit, (id, name))| {
                json!({
                    "category_id": category, "list_id": audience.id(), "id": id, "name": name,
                    "subscriber_count": count(bit).to_string(), "display_order": bit,
                })
            });
            window.cut(&shown.collect::<Vec<_>>()).to_vec()
        })
        .put("list_id", || json!(audience.id()))
        .put("category_id", || json!(category))
        .put("total_items", || json!(window.total(named.len())));
    Ok(Reply::json(200, &part.into_value()))
}

pub(super) fn abuse_reports(state: &State, ask: &Ask) -> Answer {
    let audience = audience(ask)?;
    let window = window(ask)?;
    let fields = Fields::of(ask);
    let roll = state.roll(audience);
    let rows = roll.views.get(roll.version, "abuse", || {
        roll.iter().filter(|(_, member)| member.complained != 0).map(|(at, _)| at).collect()
    });
    let part = Part::new(fields.pick())
        .list("abuse_reports", |_| {
            let report = |at: &u32| {
                let member = roll.member(*at)?;
                let email = state.email(audience, member);
                Some(json!({
                    "id": at + 1, "campaign_id": "0c61f8a2d9", "list_id": audience.id(), "email_id": hex(&email),
                    "email_address": email, "date": time(member.complained),
                }))
            };
            window.cut(&rows).iter().filter_map(report).collect()
        })
        .put("list_id", || json!(audience.id()))
        .put("total_items", || json!(window.total(rows.len())));
    Ok(Reply::json(200, &part.into_value()))
}
