//! The same for many addresses at once. These calls need Enterprise; what fails is inside a 207.

use serde::Deserialize;
use serde_json::{Value, json};

use super::contacts::INPUTS_MAX;
use super::preference::{Wish, channel, checked, verbose};
use super::refuse::{Trouble, missing_scopes};
use super::state::State;
use crate::message::{Answer, Ask, Reply};
use crate::options::Tier;

const READ_SCOPE: &str = "communication_preferences.statuses.batch.read";
const WRITE_SCOPE: &str = "communication_preferences.statuses.batch.write";

#[derive(Deserialize)]
struct Batch<I> {
    inputs: Vec<I>,
}

pub(super) fn read(state: &State, ask: &Ask) -> Answer {
    let inputs: Vec<String> = inputs((state, ask), READ_SCOPE)?;
    channel(ask)?;
    let one = |email: &str| Ok(json!({"subscriberIdString": email, "statuses": state.choices(checked(email)?, None)}));
    Ok(state.collect(ask, inputs.iter().map(|email| (email.as_str(), one(email)))))
}

pub(super) fn read_all_out(state: &State, ask: &Ask) -> Answer {
    let inputs: Vec<String> = inputs((state, ask), READ_SCOPE)?;
    channel(ask)?;
    let one = |email: &str| Ok(json!({"subscriberIdString": email, "wideStatuses": state.all_out(checked(email)?)}));
    Ok(state.collect(ask, inputs.iter().map(|email| (email.as_str(), one(email)))))
}

pub(super) fn write(state: &mut State, ask: &Ask) -> Answer {
    let inputs: Vec<Wish> = inputs((state, ask), WRITE_SCOPE)?;
    let mut done = Vec::new();
    for (row, wish) in inputs.iter().enumerate() {
        let email = wish.subscriber_id_string.as_str();
        let answer = if ask.bend.refused_rows.contains(&row) {
            Err(Trouble::invalid("the input could not be processed"))
        } else {
            checked(email).and_then(|email| state.choose(email, wish))
        };
        done.push((email, answer));
    }
    Ok(state.collect_done(done))
}

pub(super) fn write_all_out(state: &mut State, ask: &Ask) -> Answer {
    let inputs: Vec<String> = inputs((state, ask), WRITE_SCOPE)?;
    channel(ask)?;
    let mut done = Vec::new();
    for (row, email) in inputs.iter().enumerate() {
        let answer = if ask.bend.refused_rows.contains(&row) {
            Err(Trouble::invalid("the input could not be processed"))
        } else {
            checked(email).map(|email| {
                let reason = state.leave_all(email);
                json!({"subscriberIdString": email, "statuses": state.choices(email, Some(reason))})
            })
        };
        done.push((email.as_str(), answer));
    }
    if !verbose(ask) {
        // Without verbose only what failed is told.
        done.retain(|(_, answer)| answer.is_err());
    }
    Ok(state.collect_done(done))
}

fn inputs<I: for<'de> Deserialize<'de>>((state, ask): (&State, &Ask), scope: &str) -> Result<Vec<I>, Reply> {
    if state.options.tier == Tier::Professional {
        return Err(missing_scopes(scope));
    }
    let batch: Batch<I> = ask.json().map_err(|error| Trouble::invalid(error.to_string()))?;
    if batch.inputs.len() > INPUTS_MAX {
        return Err(Trouble::invalid("a batch takes at most 100 inputs").into());
    }
    Ok(batch.inputs)
}

impl State {
    fn collect<'a>(&self, ask: &Ask, rows: impl Iterator<Item = (&'a str, Result<Value, Trouble>)>) -> Reply {
        let refused = |at: usize| ask.bend.refused_rows.contains(&at);
        let answered = rows.enumerate().map(|(at, (email, answer))| {
            (email, if refused(at) { Err(Trouble::invalid("the input could not be processed")) } else { answer })
        });
        self.collect_done(answered.collect())
    }

    fn collect_done(&self, done: Vec<(&str, Result<Value, Trouble>)>) -> Reply {
        let (mut results, mut errors) = (Vec::new(), Vec::new());
        for (email, answer) in done {
            match answer {
                Ok(result) => results.push(result),
                Err(trouble) => errors.push(trouble.body(Some(json!({"subscriberIdString": [email]})))),
            }
        }
        let status = if errors.is_empty() { 200 } else { 207 };
        Reply::json(status, &self.envelope(results, &errors))
    }
}
