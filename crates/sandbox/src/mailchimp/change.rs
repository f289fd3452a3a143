//! The rules by which a member may be written, for one member and for each row of a batch alike.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::member::{Extra, Member, NOBODY, Named, Sms, interests, permissions, required_field};
use super::problem::{COMPLIANCE, EXISTS, FORGOTTEN, Trouble};
use super::state::State;
use crate::hash::hex;
use crate::options::AdminOptOuts;
use crate::population::{Audience, Lock, Reason, Status};

/// Local parts that stand for a role, not a person: they cannot be added by the API.
const ROLES: [&str; 8] = ["abuse", "admin", "contact", "info", "noreply", "office", "postmaster", "sales"];

/// What a write wants. Unknown fields are ignored, as the platform ignores them.
#[derive(Deserialize, Default, Clone)]
#[serde(default)]
pub(super) struct Wish {
    pub(super) email_address: Option<String>,
    email_type: Option<String>,
    pub(super) status: Option<String>,
    pub(super) status_if_new: Option<String>,
    merge_fields: Option<Map<String, Value>>,
    interests: Option<BTreeMap<String, bool>>,
    pub(super) marketing_permissions: Option<Vec<PermissionWish>>,
    language: Option<String>,
    vip: Option<bool>,
    ip_signup: Option<String>,
    timestamp_signup: Option<String>,
    ip_opt: Option<String>,
    timestamp_opt: Option<String>,
    sms_phone_number: Option<String>,
    sms_subscription_status: Option<String>,
    tags: Option<Vec<String>>,
}

#[derive(Deserialize, Clone)]
pub(super) struct PermissionWish {
    marketing_permission_id: String,
    enabled: bool,
}

/// Whether empty required merge fields are let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Merge {
    Checked,
    Skipped,
}

impl State {
    /// Changes the member at this position.
    pub(super) fn update(&mut self, (audience, at): (Audience, u32), wish: &Wish, merge: Merge) -> Result<(), Trouble> {
        let old = self.roll(audience).member(at).cloned().ok_or_else(Trouble::not_found)?;
        let mut member = old.clone();
        if let Some(email) = &wish.email_address {
            self.readdress(audience, &mut member, email)?;
        }
        if let Some(word) = &wish.status {
            self.set_status(&mut member, settable(word)?)?;
        }
        fill(audience, &mut member, (wish, self.clock.now_s()))?;
        self.check_merge(audience, &member, merge)?;
        if member != old {
            member.changed = self.clock.now_s();
            self.put(audience, at, Some(member));
        }
        Ok(())
    }

    /// Adds a member with this status and returns its position.
    pub(super) fn create(
        &mut self,
        audience: Audience,
        (wish, status): (&Wish, &str),
        merge: Merge,
    ) -> Result<u32, Trouble> {
        let email = wish.email_address.as_deref().unwrap_or_default();
        self.admissible(audience, email)?;
        let status = settable(status)?;
        let extra = Extra {
            email: Some(email.to_owned()),
            source: Some("API - Generic".to_owned()),
            opted_in: (status == Status::Subscribed).then(|| self.clock.now_s()),
            ..Extra::default()
        };
        let mut member = Member::fresh(status, extra);
        if status == Status::Unsubscribed {
            (member.lock, member.reason) = (Lock::Admin, Reason::Admin);
        }
        fill(audience, &mut member, (wish, self.clock.now_s()))?;
        self.check_merge(audience, &member, merge)?;
        member.changed = self.clock.now_s();
        Ok(self.add(audience, member))
    }

    fn readdress(&self, audience: Audience, member: &mut Member, email: &str) -> Result<(), Trouble> {
        if hex(email) == hex(&self.email(audience, member)) {
            return Ok(());
        }
        self.admissible(audience, email)?;
        if self.find(audience, email).is_some() {
            return Err(Trouble::new(EXISTS, "another member has this address"));
        }
        member.extra_mut().email = Some(email.to_owned());
        Ok(())
    }

    /// Whether an address may be added at all.
    fn admissible(&self, audience: Audience, email: &str) -> Result<(), Trouble> {
        if self.is_forgotten(audience, email) {
            let detail = "the address was permanently deleted and cannot be re-imported; the person must sign up again";
            return Err(Trouble::new(FORGOTTEN, detail));
        }
        if !looks_deliverable(email) {
            return Err(Trouble::invalid("email_address", "is not a valid address or looks fake"));
        }
        let local = email.split('@').next().unwrap_or_default().to_lowercase();
        if ROLES.contains(&local.as_str()) {
            return Err(Trouble::invalid("email_address", "is a role address"));
        }
        Ok(())
    }

    fn set_status(&self, member: &mut Member, status: Status) -> Result<(), Trouble> {
        if member.status == status {
            return Ok(());
        }
        let locked = match member.lock {
            Lock::Open => false,
            Lock::Admin => self.options.admin_opt_outs == AdminOptOuts::Final,
            Lock::Compliance => true,
        };
        match status {
            Status::Subscribed if locked => {
                let detail = "the member left, bounced or is under review and cannot be subscribed; \
                              pending sends a confirmation instead";
                return Err(Trouble::new(COMPLIANCE, detail));
            }
            Status::Subscribed => (member.lock, member.reason) = (Lock::Open, Reason::None),
            Status::Unsubscribed if member.lock == Lock::Open => {
                (member.lock, member.reason) = (Lock::Admin, Reason::Admin);
            }
            Status::Cleaned => member.lock = Lock::Compliance,
            // Pending keeps the lock: only the person's own confirmation opens it.
            Status::Unsubscribed | Status::Pending | Status::Transactional | Status::Archived => {}
        }
        if status == Status::Subscribed && member.who == NOBODY && member.opted_in(None) == 0 {
            member.extra_mut().opted_in = Some(self.clock.now_s());
        }
        member.status = status;
        Ok(())
    }

    /// The platform checks required fields on every write, whether or not the write is about them.
    fn check_merge(&self, audience: Audience, member: &Member, merge: Merge) -> Result<(), Trouble> {
        let Some(required) = required_field(audience).filter(|_| merge == Merge::Checked) else { return Ok(()) };
        let filled = self.merge_fields(audience, member).get(required).is_some_and(|value| match value {
            Value::String(text) => !text.is_empty(),
            Value::Null => false,
            _ => true,
        });
        if filled { Ok(()) } else { Err(Trouble::invalid(required, "is required; enter a value")) }
    }
}

impl Wish {
    fn wants_extra(&self) -> bool {
        let texts = [
            &self.email_type,
            &self.language,
            &self.ip_signup,
            &self.ip_opt,
            &self.sms_phone_number,
            &self.timestamp_signup,
            &self.timestamp_opt,
        ];
        texts.into_iter().any(Option::is_some)
            || self.merge_fields.is_some()
            || self.vip.is_some()
            || self.tags.is_some()
    }
}

/// Fills in everything but address and status.
fn fill(audience: Audience, member: &mut Member, (wish, now): (&Wish, i64)) -> Result<(), Trouble> {
    for (id, on) in wish.interests.iter().flatten() {
        set_bit(&mut member.topics, interests(audience), (id, *on))
            .ok_or_else(|| Trouble::invalid("interests", "names an interest that the audience does not have"))?;
    }
    for permission in wish.marketing_permissions.iter().flatten() {
        let named = (permission.marketing_permission_id.as_str(), permission.enabled);
        set_bit(&mut member.permissions, permissions(audience), named).ok_or_else(|| {
            Trouble::invalid("marketing_permissions", "names a permission that the audience does not have")
        })?;
    }
    if let Some(word) = &wish.sms_subscription_status {
        let sms = Sms::of_word(word)
            .ok_or_else(|| Trouble::invalid("sms_subscription_status", "is not a status for short messages"))?;
        if sms != member.sms {
            member.sms = sms;
            member.extra_mut().sms_changed = Some(now);
        }
    }
    let wants_extra = wish.wants_extra();
    if !wants_extra {
        return Ok(());
    }
    let extra = member.extra_mut();
    extra.merge.extend(wish.merge_fields.clone().unwrap_or_default());
    let set = |slot: &mut Option<String>, value: &Option<String>| {
        if value.is_some() {
            slot.clone_from(value);
        }
    };
    set(&mut extra.email_type, &wish.email_type);
    set(&mut extra.language, &wish.language);
    set(&mut extra.ip_signup, &wish.ip_signup);
    set(&mut extra.ip_opt, &wish.ip_opt);
    set(&mut extra.sms_phone, &wish.sms_phone_number);
    extra.vip = wish.vip.or(extra.vip);
    extra.signed_up = moment("timestamp_signup", wish.timestamp_signup.as_deref())?.or(extra.signed_up);
    extra.opted_in = moment("timestamp_opt", wish.timestamp_opt.as_deref())?.or(extra.opted_in);
    if wish.tags.is_some() {
        extra.tags.clone_from(&wish.tags);
    }
    Ok(())
}

/// A status that a write may set. Nobody is archived by a status: that is what DELETE is for.
fn settable(word: &str) -> Result<Status, Trouble> {
    word.parse()
        .ok()
        .filter(|status| *status != Status::Archived)
        .ok_or_else(|| Trouble::invalid("status", "is not a status that can be set"))
}

fn set_bit(bits: &mut u8, named: &[Named], (id, on): (&str, bool)) -> Option<()> {
    let bit = named.iter().position(|(known, _)| *known == id)?;
    let mask = 1 << bit;
    *bits = if on { *bits | mask } else { *bits & !mask };
    Some(())
}

fn moment(field: &'static str, text: Option<&str>) -> Result<Option<i64>, Trouble> {
    match text {
        None | Some("") => Ok(None),
        Some(text) => match text.parse::<jiff::Timestamp>() {
            Ok(at) => Ok(Some(at.as_second())),
            Err(_) => Err(Trouble::invalid(field, "is not a time in ISO 8601")),
        },
    }
}

/// Whether an address is one that the platform would try. It is stricter than the standard, as the platform is.
fn looks_deliverable(email: &str) -> bool {
    let Some((local, domain)) = email.split_once('@') else { return false };
    let labels_fit = domain.split('.').all(|label| !label.is_empty()) && domain.contains('.');
    let visible = |c: char| !c.is_whitespace() && !c.is_control() && c != '\u{200b}';
    !local.is_empty() && !domain.contains('@') && labels_fit && email.chars().all(visible) && email.len() <= 254
}
