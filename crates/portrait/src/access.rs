//! `portrait.json`: everything that is held, for programs. Every field says where it comes from.
//!
//! The schema is `schema/unisson-access-1.json` of this crate.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;
use unisson_connector::{Field, FieldValue, Gathered, Holding};
use unisson_plan::{Explained, ShownSlot, ToldFact};

use crate::portrait::{Known, Look, Portrait, SystemPart};
use crate::words;

/// The name of the shape, which changes when the shape does.
pub const SCHEMA: &str = "unisson-access/1";

#[derive(Serialize)]
pub(crate) struct Access<'a> {
    schema: &'static str,
    made_at: Timestamp,
    controller: Controller<'a>,
    asked_about: &'a [String],
    systems: Vec<System<'a>>,
    permissions: Vec<Permissions<'a>>,
    purposes: Vec<Purpose<'a>>,
    recipients: Vec<Recipient<'a>>,
    files: Vec<File<'a>>,
    kept_after_erasure: Vec<Kept<'a>>,
    retention: &'a [String],
}

#[derive(Serialize)]
struct Controller<'a> {
    name: &'a str,
    contact: Option<&'a str>,
}

#[derive(Serialize)]
struct System<'a> {
    instance: &'a str,
    title: &'a str,
    connector: &'a str,
    covered: bool,
    not_covered_because: Option<&'a str>,
    unseen: &'a [String],
    records: Vec<Record<'a>>,
}

#[derive(Serialize)]
struct Record<'a> {
    id: &'a str,
    kind: &'a str,
    presence: &'static str,
    fields: Vec<Told<'a>>,
}

#[derive(Serialize)]
struct Told<'a> {
    source: Source<'a>,
    #[serde(rename = "type")]
    kind: &'static str,
    value: Value<'a>,
}

#[derive(Serialize)]
struct Source<'a> {
    instance: &'a str,
    record_kind: &'a str,
    pointer: &'a str,
}

/// A value: a number keeps the vendor's digits.
#[derive(Serialize)]
#[serde(untagged)]
enum Value<'a> {
    Text(&'a str),
    Number(Box<RawValue>),
    Flag(bool),
    Empty(()),
}

#[derive(Serialize)]
struct Permissions<'a> {
    address: &'a str,
    kind: &'static str,
    decisions: Vec<Decision<'a>>,
    facts: Vec<Fact<'a>>,
    shown: Vec<Shown<'a>>,
}

#[expect(clippy::struct_field_names, reason = "the word that every other output uses")]
#[derive(Serialize)]
struct Decision<'a> {
    purpose: &'a str,
    channel: &'static str,
    decision: &'static str,
    status: &'static str,
    reason: &'static str,
    rule: Option<&'a str>,
    facts: Vec<String>,
    valid_until: Option<Timestamp>,
}

#[derive(Serialize)]
struct Fact<'a> {
    id: String,
    instance: &'a str,
    what: &'a str,
    scope: &'a str,
    not_before: Option<Timestamp>,
    not_after: Timestamp,
    observed_at: Timestamp,
    actor: &'static str,
    level: Option<u8>,
    missing: &'a [&'static str],
}

#[derive(Serialize)]
struct Shown<'a> {
    instance: &'a str,
    slot: &'a str,
    status: &'static str,
    presence: &'static str,
}

#[derive(Serialize)]
struct Purpose<'a> {
    id: &'a str,
    title: &'a str,
    description: Option<&'a str>,
    family: &'static str,
    dpv: Option<&'a str>,
}

#[derive(Serialize)]
struct Recipient<'a> {
    name: &'a str,
    received: &'a str,
    last: Option<Timestamp>,
}

#[derive(Serialize)]
struct File<'a> {
    at: Timestamp,
    to: &'a str,
    what: &'a str,
}

#[derive(Serialize)]
struct Kept<'a> {
    instance: &'a str,
    fields: &'a [String],
    ground: &'static str,
    provision: &'a str,
    until: Option<Timestamp>,
}

impl<'a> Access<'a> {
    pub(crate) fn of(portrait: &'a Portrait) -> Self {
        let purposes = portrait.purposes.iter().map(|purpose| Purpose {
            id: purpose.id.as_str(),
            title: &purpose.title,
            description: purpose.description.as_deref(),
            family: words::family_code(purpose.family),
            dpv: purpose.dpv.as_deref(),
        });
        let recipients = portrait.recipients.iter().map(|recipient| Recipient {
            name: &recipient.name,
            received: &recipient.received,
            last: recipient.last,
        });
        let kept = portrait.keeping.iter().map(|keeping| Kept {
            instance: keeping.system.as_str(),
            fields: &keeping.fields,
            ground: words::ground_code(keeping.ground),
            provision: &keeping.provision,
            until: keeping.until,
        });
        Self {
            schema: SCHEMA,
            made_at: portrait.made_at,
            controller: Controller { name: &portrait.controller.name, contact: portrait.controller.contact.as_deref() },
            asked_about: &portrait.whom,
            systems: portrait.systems.iter().map(System::of).collect(),
            permissions: portrait.known.iter().map(Permissions::of).collect(),
            purposes: purposes.collect(),
            recipients: recipients.collect(),
            files: portrait.files.iter().map(|file| File { at: file.at, to: &file.to, what: &file.what }).collect(),
            kept_after_erasure: kept.collect(),
            retention: &portrait.retention,
        }
    }
}

impl<'a> System<'a> {
    fn of(part: &'a SystemPart) -> Self {
        let (gathered, why): (Option<&Gathered>, Option<&str>) = match &part.look {
            Look::Gathered(gathered) => (Some(gathered), None),
            Look::NotCovered { why } => (None, Some(why)),
        };
        let instance = part.name.as_str();
        Self {
            instance,
            title: &part.title,
            connector: &part.connector,
            covered: gathered.is_some(),
            not_covered_because: why,
            unseen: gathered.map(|gathered| gathered.unseen.as_slice()).unwrap_or_default(),
            records: gathered
                .iter()
                .flat_map(|gathered| &gathered.holdings)
                .map(|it| Record::of(it, instance))
                .collect(),
        }
    }
}

impl<'a> Record<'a> {
    fn of(holding: &'a Holding, instance: &'a str) -> Self {
        let kind = &holding.kind;
        Self {
            id: holding.observation.record.as_str(),
            kind,
            presence: words::presence_code(holding.observation.presence),
            fields: holding.fields.iter().map(|field| Told::of(field, (instance, kind))).collect(),
        }
    }
}

impl<'a> Told<'a> {
    fn of(field: &'a Field, (instance, record_kind): (&'a str, &'a str)) -> Self {
        let (kind, value) = match &field.value {
            FieldValue::Text(text) => ("text", Value::Text(text)),
            FieldValue::Number(digits) => ("number", number(digits)),
            FieldValue::Flag(flag) => ("flag", Value::Flag(*flag)),
            FieldValue::Empty => ("empty", Value::Empty(())),
        };
        Self { source: Source { instance, record_kind, pointer: &field.path }, kind, value }
    }
}

/// The digits as they are, where they are a number that every reader of JSON can take; as a text otherwise.
fn number(digits: &str) -> Value<'_> {
    let is_number = digits.trim() == digits && serde_json::from_str::<serde_json::Number>(digits).is_ok();
    match RawValue::from_string(digits.to_owned()) {
        Ok(raw) if is_number => Value::Number(raw),
        _ => Value::Text(digits),
    }
}

impl<'a> Permissions<'a> {
    fn of(known: &'a Known) -> Self {
        let explanation = &known.explanation;
        Self {
            address: known.address.canonical(),
            kind: known.address.kind().as_str(),
            decisions: explanation.decisions.iter().map(Decision::of).collect(),
            facts: explanation.facts.iter().map(Fact::of).collect(),
            shown: explanation.shows.iter().map(Shown::of).collect(),
        }
    }
}

impl<'a> Decision<'a> {
    fn of(explained: &'a Explained) -> Self {
        let decision = &explained.decision;
        Self {
            purpose: explained.purpose.as_str(),
            channel: explained.channel.as_str(),
            decision: decision.verdict.as_str(),
            status: decision.status.as_str(),
            reason: decision.reason.as_str(),
            rule: decision.rule.as_deref(),
            facts: decision.facts.iter().map(ToString::to_string).collect(),
            valid_until: decision.valid_until,
        }
    }
}

impl<'a> Fact<'a> {
    fn of(told: &'a ToldFact) -> Self {
        Self {
            id: told.id.to_string(),
            instance: told.system.as_str(),
            what: &told.what,
            scope: &told.scope,
            not_before: told.at.lo,
            not_after: told.at.hi,
            observed_at: told.observed_at,
            actor: told.actor.as_str(),
            level: told.level.map(unisson_consent::Level::number),
            missing: &told.missing,
        }
    }
}

impl<'a> Shown<'a> {
    fn of(shown: &'a ShownSlot) -> Self {
        Self {
            instance: shown.system.as_str(),
            slot: &shown.scope,
            status: shown.status.as_str(),
            presence: words::presence_code(shown.presence),
        }
    }
}
