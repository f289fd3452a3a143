//! What an address chose: the states of its subscription types, and whether it is out of everything.
//!
//! A choice does not move the contact's modification date; an opt-out of everything does, because it shows in a property.

use serde::Deserialize;
use serde_json::{Value, json};

use super::contact::time;
use super::contacts::looks_like_address;
use super::refuse::Trouble;
use super::state::State;
use crate::message::{Answer, Ask, Reply};
use crate::population::{Choice, Origin, Preference, Topic};

/// The legal bases that a choice may come with.
const BASES: [&str; 7] = [
    "LEGITIMATE_INTEREST_PQL",
    "LEGITIMATE_INTEREST_CLIENT",
    "PERFORMANCE_OF_CONTRACT",
    "CONSENT_WITH_NOTICE",
    "NON_GDPR",
    "PROCESS_AND_STORE",
    "LEGITIMATE_INTEREST_OTHER",
];

/// When the portal was set up: before anything happened to anybody.
const SET_UP_MS: i64 = 1_400_000_000_000;

/// A choice to be written.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Wish {
    #[serde(default)]
    pub(super) subscriber_id_string: String,
    subscription_id: u64,
    status_state: String,
    channel: String,
    legal_basis: Option<String>,
    legal_basis_explanation: Option<String>,
}

#[expect(clippy::unnecessary_wraps, reason = "every handler has this form")]
pub(super) fn definitions(state: &State, _: &Ask) -> Answer {
    let made = time(SET_UP_MS);
    let results: Vec<Value> = Topic::ALL
        .iter()
        .map(|topic| {
            json!({
                "id": topic.id().to_string(), "name": topic.title(),
                "description": format!("The sandbox's {}", topic.title().to_lowercase()),
                "purpose": "Marketing", "communicationMethod": "Email", "isActive": true, "isDefault": true,
                "isInternal": false, "businessUnitId": 0, "createdAt": made, "updatedAt": made,
            })
        })
        .collect();
    Ok(Reply::json(200, &state.envelope(results, &[])))
}

pub(super) fn read(state: &State, ask: &Ask) -> Answer {
    let email = subscriber(ask)?;
    channel(ask)?;
    Ok(Reply::json(200, &state.envelope(state.choices(email, None), &[])))
}

pub(super) fn write(state: &mut State, ask: &Ask) -> Answer {
    let email = subscriber(ask)?.to_owned();
    let wish: Wish = ask.json().map_err(|error| Trouble::invalid(error.to_string()))?;
    let written = state.choose(&email, &wish)?;
    Ok(Reply::json(200, &state.envelope(vec![written], &[])))
}

pub(super) fn read_all_out(state: &State, ask: &Ask) -> Answer {
    let email = subscriber(ask)?;
    channel(ask)?;
    Ok(Reply::json(200, &state.envelope(state.all_out(email), &[])))
}

pub(super) fn write_all_out(state: &mut State, ask: &Ask) -> Answer {
    let email = subscriber(ask)?.to_owned();
    channel(ask)?;
    let reason = state.leave_all(&email);
    let results = if verbose(ask) { state.choices(&email, Some(reason)) } else { Vec::new() };
    Ok(Reply::json(200, &state.envelope(results, &[])))
}

pub(super) fn verbose(ask: &Ask) -> bool {
    ask.query("verbose") == Some("true")
}

/// The only channel there is must be named.
pub(super) fn channel(ask: &Ask) -> Result<(), Trouble> {
    match ask.query("channel") {
        Some("EMAIL") => Ok(()),
        _ => Err(Trouble::invalid("the query parameter channel is required and must be EMAIL")),
    }
}

fn subscriber(ask: &Ask) -> Result<&str, Trouble> {
    checked(ask.param(0))
}

/// The address, if it is one.
pub(super) fn checked(email: &str) -> Result<&str, Trouble> {
    if looks_like_address(email) { Ok(email) } else { Err(Trouble::invalid("the subscriber is not an e-mail address")) }
}

impl State {
    /// The envelope of every answer about subscriptions.
    pub(super) fn envelope(&self, results: Vec<Value>, errors: &[Value]) -> Value {
        let now = time(self.clock.now_ms());
        let mut body = json!({"status": "COMPLETE", "startedAt": now, "completedAt": now});
        body["results"] = Value::Array(results);
        if !errors.is_empty() {
            body["numErrors"] = json!(errors.len());
            body["errors"] = json!(errors);
        }
        body
    }

    /// The states of all types for an address, with what a write just did.
    pub(super) fn choices(&self, email: &str, reason: Option<&'static str>) -> Vec<Value> {
        let preferences = self.preferences(email);
        Topic::ALL.iter().map(|topic| shown((email, *topic), &preferences.effective(*topic), reason)).collect()
    }

    /// The opt-out of everything, if there is one.
    pub(super) fn all_out(&self, email: &str) -> Vec<Value> {
        let since = self.preferences(email).all_out_ms;
        since
            .map(|at_ms| {
                json!({
                    "subscriberIdString": email, "channel": "EMAIL", "status": "UNSUBSCRIBED",
                    "wideStatusType": "PORTAL_WIDE", "timestamp": time(at_ms), "businessUnitId": 0,
                })
            })
            .into_iter()
            .collect()
    }

    /// Writes a choice and shows it.
    pub(super) fn choose(&mut self, email: &str, wish: &Wish) -> Result<Value, Trouble> {
        if wish.channel != "EMAIL" {
            return Err(Trouble::invalid("the channel must be EMAIL"));
        }
        let topic = Topic::of_id(wish.subscription_id)
            .ok_or_else(|| Trouble::invalid("there is no subscription type of this id"))?;
        let wanted = Preference::of_word(&wish.status_state)
            .ok_or_else(|| Trouble::invalid("statusState is none of SUBSCRIBED, UNSUBSCRIBED and NOT_SPECIFIED"))?;
        let basis = wish.legal_basis.as_deref().map(|word| {
            let known = BASES.into_iter().find(|basis| *basis == word);
            known.ok_or_else(|| Trouble::invalid("legalBasis is not a legal basis of the portal"))
        });
        let basis = basis.transpose()?;
        let mut preferences = self.preferences(email);
        if preferences.all_out_ms.is_some() && wanted == Preference::Subscribed {
            return Err(Trouble::invalid("the subscriber has opted out of all communications"));
        }
        let before = preferences.effective(topic).state;
        let reason = match (before, wanted) {
            (before, wanted) if before == wanted => "NO_STATUS_CHANGE",
            (Preference::Unsubscribed, Preference::Subscribed) => "RESUBSCRIBE_OCCURRED",
            _ => "REQUESTED_CHANGE_OCCURRED",
        };
        if before != wanted {
            let explanation = wish.legal_basis_explanation.clone().map(String::into_boxed_str);
            let at_ms = self.clock.now_ms();
            preferences.topics[topic as usize] =
                Choice { state: wanted, origin: Origin::Api, at_ms, basis, explanation };
            self.set_preferences(email, preferences.clone());
        }
        Ok(shown((email, topic), &preferences.effective(topic), Some(reason)))
    }

    /// Opts an address out of everything, and says what that did.
    pub(super) fn leave_all(&mut self, email: &str) -> &'static str {
        let mut preferences = self.preferences(email);
        if preferences.all_out_ms.is_some() {
            return "NO_STATUS_CHANGE";
        }
        let now = self.clock.now_ms();
        preferences.all_out_ms = Some(now);
        self.set_preferences(email, preferences);
        self.touch(email, now);
        "UNSUBSCRIBE_FROM_ALL_OCCURRED"
    }

    /// Moves the modification date of the contact with this address, if there is one.
    pub(super) fn touch(&mut self, email: &str, now_ms: i64) {
        let found = self.find(email).and_then(|at| Some((at, self.contact(at)?.clone())));
        if let Some((at, mut contact)) = found {
            contact.modified_ms = now_ms;
            self.put(at, Some(contact));
        }
    }
}

fn shown((email, topic): (&str, Topic), choice: &Choice, reason: Option<&'static str>) -> Value {
    let mut body = json!({
        "subscriberIdString": email, "channel": "EMAIL", "subscriptionId": topic.id(),
        "subscriptionName": topic.title(), "status": choice.state.as_str(), "source": choice.origin.as_str(),
        "timestamp": time(choice.at_ms), "businessUnitId": 0,
    });
    if let Some(basis) = choice.basis {
        body["legalBasis"] = json!(basis);
    }
    if let Some(explanation) = &choice.explanation {
        body["legalBasisExplanation"] = json!(explanation);
    }
    if let Some(reason) = reason {
        body["setStatusSuccessReason"] = json!(reason);
    }
    body
}
