//! Laws that hold for every sequence of writes and acts.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::change::Wish;
use super::contact::{Zone, statistics};
use super::state::{Kind, State};
use crate::brevo::{BREVO_LIST_IDS, BrevoAct, BrevoDeed};
use crate::clock::{Clock, Pace, Watch};
use crate::options::{BrevoOptions, Options};
use crate::population::Population;

const PEOPLE: u32 = 40;

fn state() -> State {
    let epoch = Options::default().epoch;
    let clock = Watch::new(Arc::new(Clock::new(epoch, Pace::Standing)));
    State::new(BrevoOptions::default(), Arc::new(Population::new(1, PEOPLE, epoch)), clock)
}

/// Something that changes the account.
#[derive(Debug, Clone)]
enum Step {
    Act(BrevoAct),
    Put(String, Value),
    Create(Value),
    Unblock(String),
}

fn addresses() -> impl Strategy<Value = String> {
    let people = Population::new(1, PEOPLE, Options::default().epoch);
    (0..PEOPLE + 5).prop_map(move |at| State::address(&people.person(at)))
}

/// Steps after which nobody who was blocklisted is mailable: no form, no other address, no plain "false", no deletion.
fn harmless() -> impl Strategy<Value = Step> {
    let list = || prop::sample::select(BREVO_LIST_IDS.to_vec());
    let what = prop_oneof![
        Just(BrevoDeed::Unsubscribe),
        list().prop_map(BrevoDeed::LeaveList),
        Just(BrevoDeed::LeaveOrders),
        Just(BrevoDeed::StopTexts),
        Just(BrevoDeed::Bounce),
        Just(BrevoDeed::Complain),
        list().prop_map(BrevoDeed::Import),
        Just(BrevoDeed::Block),
    ];
    let put = prop_oneof![
        Just(json!({"emailBlacklisted": true})),
        Just(json!({"smsBlacklisted": false, "attributes": {"FIRSTNAME": "Ada", "SHOE": 4}})),
        list().prop_map(|id| json!({"listIds": [id]})),
        list().prop_map(|id| json!({"unlinkListIds": [id], "ext_id": format!("x{id}")})),
    ];
    prop_oneof![
        (addresses(), what).prop_map(|(email, what)| Step::Act(BrevoAct { email, what })),
        (addresses(), put).prop_map(|(email, wish)| Step::Put(email, wish)),
        addresses().prop_map(|email| Step::Create(json!({"email": email}))),
    ]
}

fn any_step() -> impl Strategy<Value = Step> {
    let what = prop_oneof![
        Just(BrevoDeed::SignUp(BREVO_LIST_IDS[0])),
        Just(BrevoDeed::Resubscribe),
        Just(BrevoDeed::Delete),
        (0..5_u8).prop_map(|at| BrevoDeed::ChangeAddress(format!("moved{at}@example.org"))),
    ];
    let put = prop_oneof![
        Just(json!({"emailBlacklisted": false})),
        (0..5_u8)
            .prop_map(|at| json!({"attributes": {"EMAIL": format!("moved{at}@example.org"), "SMS": "33639980001"}})),
    ];
    prop_oneof![
        2 => harmless(),
        1 => (addresses(), what).prop_map(|(email, what)| Step::Act(BrevoAct { email, what })),
        1 => (addresses(), put).prop_map(|(email, wish)| Step::Put(email, wish)),
        1 => addresses().prop_map(Step::Unblock),
    ]
}

/// Takes a step as the handlers do; what is refused is refused.
fn take(state: &mut State, step: &Step) {
    let wish = |value: &Value| -> Wish { serde_json::from_value(value.clone()).unwrap() };
    match step {
        Step::Act(act) => drop(state.act_on(act)),
        Step::Put(email, value) => {
            if let Some(at) = state.find(Kind::Email, email) {
                let _ = state.change(at, &wish(value));
            }
        }
        Step::Unblock(email) => drop(state.unblock(email)),
        Step::Create(value) => {
            let wish = wish(value);
            if state.find(Kind::Email, wish.email.as_deref().unwrap_or_default()).is_none() {
                let _ = state.create(&wish);
            }
        }
    }
}

fn take_all(state: &mut State, steps: &[Step]) {
    for step in steps {
        take(state, step);
    }
}

/// Everything that can be seen from outside.
fn shown(state: &State) -> Vec<Value> {
    let all = (i64::MIN, i64::MAX);
    let contacts = state.contacts().map(|contact| json!([state.show(contact, Zone::Utc), statistics(contact.1, all)]));
    let blocks = state.blocks().map(|(at, block)| json!([at, state.blocked_email(block), block.reason.words().0]));
    let moved = (0..5).map(|at| json!(state.find(Kind::Email, &format!("moved{at}@example.org"))));
    contacts.chain(blocks).chain(moved).collect()
}

proptest! {
    #[test]
    fn what_is_pretended_leaves_no_trace(
        before in prop::collection::vec(any_step(), 0..30),
        pretended in prop::collection::vec(any_step(), 0..30),
    ) {
        let mut state = state();
        take_all(&mut state, &before);
        let expected = shown(&state);
        state.open_journal();
        take_all(&mut state, &pretended);
        state.unwind_journal();
        prop_assert_eq!(shown(&state), expected);
    }

    #[test]
    fn every_contact_is_found_by_everything_that_names_it(steps in prop::collection::vec(any_step(), 0..40)) {
        let mut state = state();
        take_all(&mut state, &steps);
        for (at, contact) in state.contacts() {
            let attributes = state.attributes(contact);
            let names = [
                (Kind::Email, state.email(contact)),
                (Kind::Phone, attributes.get("SMS").and_then(Value::as_str).map(str::to_owned)),
                (Kind::External, attributes.get("EXT_ID").and_then(Value::as_str).map(str::to_owned)),
            ];
            for (kind, name) in names {
                if let Some(name) = name {
                    prop_assert_eq!(state.find(kind, &name), Some(at), "{:?}", kind);
                }
            }
            prop_assert_eq!(contact.lists & contact.left, 0, "nobody is on a list that they left");
        }
    }

    #[test]
    fn imports_lists_and_attributes_make_nobody_mailable_who_was_blocklisted(
        steps in prop::collection::vec(harmless(), 0..40),
    ) {
        let mut state = state();
        let blocklisted = |state: &State| -> Vec<u32> {
            state.contacts().filter(|(_, contact)| contact.blacklisted).map(|(at, _)| at).collect()
        };
        let before = blocklisted(&state);
        take_all(&mut state, &steps);
        let after = blocklisted(&state);
        prop_assert!(before.iter().all(|at| after.contains(at)));
    }
}
