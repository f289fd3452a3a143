//! Laws that hold for every sequence of writes.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::Value;

use super::state::State;
use crate::clock::{Clock, Pace, Watch};
use crate::hubspot::{HubSpotAct, HubSpotDeed};
use crate::options::{HubSpotOptions, Options};
use crate::population::{Population, System};

const PEOPLE: u32 = 30;

fn state() -> State {
    let epoch = Options::default().epoch;
    let clock = Watch::new(Arc::new(Clock::new(epoch, Pace::Standing)));
    let options = HubSpotOptions { index_lag: Duration::from_secs(30), ..HubSpotOptions::default() };
    State::new(options, Arc::new(Population::new(1, PEOPLE, epoch)), clock)
}

fn acts() -> impl Strategy<Value = Vec<HubSpotAct>> {
    let address = (0..PEOPLE + 5)
        .prop_map(|at| Population::new(1, PEOPLE, Options::default().epoch).person(at).spelling(System::Crm));
    let what = prop_oneof![
        Just(HubSpotDeed::UnsubscribeAll),
        Just(HubSpotDeed::Unsubscribe(91_002)),
        Just(HubSpotDeed::SignUp(91_001)),
        Just(HubSpotDeed::Bounce),
        Just(HubSpotDeed::Import),
        Just(HubSpotDeed::Archive),
        Just(HubSpotDeed::Restore),
        Just(HubSpotDeed::Erase),
        (0..5_u8).prop_map(|at| HubSpotDeed::ChangeAddress(format!("moved{at}@example.org"))),
    ];
    let act = (address, what).prop_map(|(email, what)| HubSpotAct { email, what });
    prop::collection::vec(act, 0..30)
}

/// Everything that can be seen from outside: contacts, what the index shows, what each address chose, who is blocked.
fn shown(state: &State) -> (Vec<Value>, Vec<bool>) {
    let names = State::all_properties();
    let now = state.clock.now_ms();
    let contacts = state.contacts_from(0).map(|contact| state.show(contact, &names));
    let indexed = (0..100).filter_map(|at| Some((at, state.indexed(at, now)?)));
    let addresses: Vec<String> = (0..PEOPLE + 5).map(|at| state.population.person(at).spelling(System::Crm)).collect();
    let choices = addresses.iter().flat_map(|email| state.choices(email, None));
    let seen = contacts.chain(indexed.map(|contact| state.show(contact, &names))).chain(choices).collect();
    (seen, addresses.iter().flat_map(|email| [state.is_blocked(email), state.find(email).is_some()]).collect())
}

proptest! {
    #[test]
    fn what_is_pretended_leaves_no_trace(before in acts(), pretended in acts()) {
        let mut state = state();
        for act in &before {
            let _ = state.act_on(act);
        }
        let expected = shown(&state);
        state.open_journal();
        for act in &pretended {
            let _ = state.act_on(act);
        }
        state.unwind_journal();
        prop_assert_eq!(shown(&state), expected);
    }

    #[test]
    fn every_contact_in_use_is_found_by_its_address(acts in acts()) {
        let mut state = state();
        for act in &acts {
            let _ = state.act_on(act);
        }
        for (at, contact) in state.contacts_from(0).filter(|(_, contact)| contact.archived_ms == 0) {
            let primary = state.emails(contact).into_iter().next().unwrap();
            prop_assert_eq!(state.find(&primary), Some(at));
        }
    }
}
