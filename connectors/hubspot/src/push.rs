//! Writing opt-outs, and opt-ins that rest on a live consent, by address.
//!
//! Every call sets a state, so repeating one is harmless. HubSpot cannot mark an address as dead and cannot ask a person
//! again, so neither is offered; and nothing subscribes a person to everything.

use std::collections::HashMap;

use async_trait::async_trait;
use serde_json::json;
use unisson_connector::{Action, Batch, Calls, Change, Cx, ErrorKind, Outcome, Outcomes, Push, PushSpec, Result};
use unisson_consent::{AddressKind, Channel, Channels, Purposes, Scope};
use unisson_sdk::segment;

use crate::wire::{
    Category, ChangeReason, Envelope, ItemError, SubscriberStatuses, SubscriptionState, SubscriptionStatus,
    status_change,
};
use crate::{HubSpot, STATUSES};

const DURING: &str = "set the subscriptions of a contact";

/// What all changes of a batch ask for.
#[derive(Clone, Copy)]
pub(crate) enum Wish {
    /// Out of everything.
    OutOfAll,
    /// One subscription type set to a state.
    One(u64, SubscriptionState),
}

#[async_trait]
impl Push for HubSpot {
    fn spec(&self) -> &PushSpec {
        &self.push_spec
    }

    /// One for a batch, where the account has batch calls; one for each contact where it has none.
    fn calls(&self, _: Action, changes: usize) -> Calls {
        let count = if self.batch_writes.allowed() { u64::from(changes > 0) } else { changes as u64 };
        Calls { path: STATUSES, count }
    }

    async fn push(&self, _cx: &Cx<'_>, batch: Batch) -> Result<Outcomes> {
        let wish = match batch.action().zip(batch.scope()).map(|(action, scope)| wish(action, scope)) {
            Some(Ok(wish)) => wish,
            Some(Err(code)) => return Ok(batch.settle(|_| Outcome::Refused(code.to_owned()))),
            None => return Ok(batch.settle(|_| Outcome::Unknown)),
        };
        let mut addresses: Vec<String> = batch.changes().iter().filter_map(address).collect();
        addresses.sort_unstable();
        addresses.dedup();
        let answers = self.deliver(wish, &addresses).await?;
        Ok(batch.settle(|change| match address(change) {
            Some(address) => answers.get(&address).cloned().unwrap_or(Outcome::Unknown),
            None => Outcome::Refused("no_email_address".to_owned()),
        }))
    }
}

impl HubSpot {
    async fn deliver(&self, wish: Wish, addresses: &[String]) -> Result<HashMap<String, Outcome>> {
        if self.batch_writes.allowed()
            && !addresses.is_empty()
            && let Some(answers) = self.deliver_batch(wish, addresses).await?
        {
            return Ok(answers);
        }
        let mut answers = HashMap::new();
        for (place, address) in addresses.iter().enumerate() {
            match self.deliver_one(wish, address).await {
                Ok(outcome) => answers.insert(address.clone(), outcome),
                Err(error) if place == 0 => return Err(error),
                Err(error) => {
                    // What was done before is done and must be told; nothing more is tried now.
                    let wait = if let ErrorKind::RateLimited(wait) = error.kind() { wait } else { None };
                    answers.extend(addresses[place..].iter().map(|later| (later.clone(), Outcome::Later(wait))));
                    if matches!(error.kind(), ErrorKind::Lost | ErrorKind::Contract) {
                        answers.insert(address.clone(), Outcome::Unknown);
                    }
                    break;
                }
            };
        }
        Ok(answers)
    }

    pub(crate) async fn deliver_one(&self, wish: Wish, address: &str) -> Result<Outcome> {
        let path = format!("{STATUSES}/{}", segment(address));
        let call = match wish {
            Wish::One(id, state) => self.client.post(&path).json(&status_change(None, id, state)),
            // Verbose, because the short answer is empty and proves nothing.
            Wish::OutOfAll => {
                let call = self.client.post(&format!("{path}/unsubscribe-all"));
                call.query("channel", "EMAIL").query("verbose", true)
            }
        };
        let reply = self.send(call.repeatable(), &[400, 404, 409, 422, 429], DURING).await?;
        Ok(match reply.status() {
            200 => {
                let told = reply.json::<Envelope<SubscriptionStatus>>()?.finished(DURING)?;
                match told.errors.first() {
                    Some(error) => refusal(error.category),
                    None => judge(wish, &told.results.iter().collect::<Vec<_>>()),
                }
            }
            // Only the platform's own words tell a missing contact from a moved address.
            400.. => refusal(reply.json::<ItemError>().map_or(Category::Unknown, |error| error.category)),
            204 => Outcome::Applied,
            _ => Outcome::Unknown,
        })
    }

    /// All addresses in one call; `None` where they must be delivered one by one: the account has no batch calls, or one
    /// bad address made the platform refuse them all.
    async fn deliver_batch(&self, wish: Wish, addresses: &[String]) -> Result<Option<HashMap<String, Outcome>>> {
        let call = match wish {
            Wish::One(id, state) => {
                let inputs = addresses.iter().map(|address| status_change(Some(address), id, state));
                let body = json!({"inputs": inputs.collect::<Vec<_>>()});
                self.client.post(&format!("{STATUSES}/batch/write")).json(&body)
            }
            Wish::OutOfAll => {
                let call = self.client.post(&format!("{STATUSES}/batch/unsubscribe-all"));
                call.query("channel", "EMAIL").query("verbose", true).json(&json!({"inputs": addresses}))
            }
        };
        let reply = self.send(call.repeatable(), &[400, 403, 429], DURING).await?;
        let (told, errors) = match (reply.status(), wish) {
            (403, _) => {
                self.batch_writes.deny();
                return Ok(None);
            }
            (400, _) => return Ok(None),
            (_, Wish::One(..)) => {
                let told = reply.json::<Envelope<SubscriptionStatus>>()?.finished(DURING)?;
                (told.results, told.errors)
            }
            (_, Wish::OutOfAll) => {
                let told = reply.json::<Envelope<SubscriberStatuses>>()?.finished(DURING)?;
                (told.results.into_iter().flat_map(|subscriber| subscriber.statuses).collect(), told.errors)
            }
        };
        // Silence about an address is no success: the host reads back.
        let answer = |address: &String| {
            let of_address = |told: &&SubscriptionStatus| told.subscriber_id_string.eq_ignore_ascii_case(address);
            let told: Vec<&SubscriptionStatus> = told.iter().filter(of_address).collect();
            let error = errors.iter().find(|error| error.is_about(address));
            match (told.as_slice(), error) {
                ([], None) => Outcome::Unknown,
                ([], Some(error)) => refusal(error.category),
                (told, _) => judge(wish, told),
            }
        };
        Ok(Some(addresses.iter().map(|address| (address.clone(), answer(address))).collect()))
    }
}

/// What a batch asks for, or why HubSpot cannot do it.
fn wish(action: Action, scope: &Scope) -> std::result::Result<Wish, &'static str> {
    if scope.channels != Channels::one(Channel::Email) {
        return Err("only_email");
    }
    let subscription = match &scope.purposes {
        Purposes::List(list) => Some(list.as_str().parse::<u64>().map_err(|_| "no_such_subscription_type")?),
        Purposes::AllMarketing => None,
        Purposes::Named(_) => return Err("only_subscription_types"),
    };
    match (action, subscription) {
        (Action::Suppress, None) => Ok(Wish::OutOfAll),
        (Action::Suppress, Some(id)) => Ok(Wish::One(id, SubscriptionState::Unsubscribed)),
        (Action::Subscribe, Some(id)) => Ok(Wish::One(id, SubscriptionState::Subscribed)),
        (Action::Subscribe, None) => Err("subscribe_names_no_type"),
        (Action::MarkInvalid | Action::Reconfirm, _) => Err("not_offered"),
    }
}

/// The address that HubSpot knows the contact by. Its preferences are keyed by address, in any letter case.
fn address(change: &Change) -> Option<String> {
    let address = change.target.address(AddressKind::Email)?.raw().trim().to_lowercase();
    address.contains('@').then_some(address)
}

/// Reads the states after the change.
fn judge(wish: Wish, told: &[&SubscriptionStatus]) -> Outcome {
    let concerned = |told: &&&SubscriptionStatus| !matches!(wish, Wish::One(id, _) if told.subscription_id != id);
    let told: Vec<_> = told.iter().filter(concerned).collect();
    let contrary = |state| match wish {
        Wish::OutOfAll => state == SubscriptionState::Subscribed,
        Wish::One(_, wanted) => state != wanted,
    };
    if told.iter().any(|told| contrary(told.status)) {
        return match wish {
            // An opt-out of everything stands above a single type: HubSpot keeps the person out.
            Wish::One(_, SubscriptionState::Subscribed) => Outcome::Refused("kept_out".to_owned()),
            _ => Outcome::Unknown,
        };
    }
    match wish {
        Wish::One(..) if told.is_empty() => Outcome::Unknown,
        Wish::OutOfAll if told.is_empty() => Outcome::Applied,
        _ if told.iter().all(|told| told.set_status_success_reason == Some(ChangeReason::NoStatusChange)) => {
            Outcome::AlreadySo
        }
        _ => Outcome::Applied,
    }
}

/// What a class of errors means for one change. What nobody knows may pass.
fn refusal(category: Category) -> Outcome {
    match category {
        Category::ValidationError | Category::InvalidEmail => Outcome::Refused(category.code()),
        Category::ObjectNotFound => Outcome::NotFound,
        // A permission can be granted, and then the contact must still be told.
        Category::MissingScopes | Category::Conflict | Category::RateLimits | Category::Unknown => Outcome::Later(None),
    }
}
