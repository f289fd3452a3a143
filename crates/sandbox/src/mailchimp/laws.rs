//! Laws that hold for every sequence of writes.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::Value;

use super::change::{Merge, Wish};
use super::fields::Pick;
use super::state::State;
use crate::clock::{Clock, Pace, Watch};
use crate::mailchimp::{MailchimpAct, MailchimpDeed};
use crate::options::{MailchimpOptions, Options};
use crate::population::{Audience, Plot, Population, Status};

const PEOPLE: u32 = 30;
const AUDIENCE: Audience = Audience::Letter;

fn state() -> State {
    let epoch = Options::default().epoch;
    let clock = Watch::new(Arc::new(Clock::new(epoch, Pace::Standing)));
    State::new(MailchimpOptions::default(), Arc::new(Population::new(1, PEOPLE, epoch)), clock)
}

/// A write that the API can ask for.
#[derive(Debug, Clone)]
enum Write {
    Status(u32, Status),
    Archive(u32),
    Forget(u32),
    Add(u32, Status),
    Move(u32, u32),
}

fn writes() -> impl Strategy<Value = Vec<Write>> {
    let status = || prop::sample::select(Status::ALL.to_vec());
    let one = prop_oneof![
        4 => (0..PEOPLE, status()).prop_map(|(at, status)| Write::Status(at, status)),
        1 => (0..PEOPLE).prop_map(Write::Archive),
        1 => (0..PEOPLE).prop_map(Write::Forget),
        2 => (0..PEOPLE, status()).prop_map(|(at, status)| Write::Add(at, status)),
        1 => (0..PEOPLE, 0..PEOPLE).prop_map(|(at, to)| Write::Move(at, to)),
    ];
    prop::collection::vec(one, 0..40)
}

/// Carries a write out as the handlers do; what is refused is refused.
fn carry_out(state: &mut State, write: &Write) {
    let wish = |email: Option<String>, status: Option<Status>| {
        let mut wish = Wish::default();
        (wish.email_address, wish.status) = (email, status.map(|status| status.to_string()));
        wish
    };
    let fresh = |at: &u32| format!("fresh{at}@example.org");
    let _ = match write {
        Write::Status(at, status) => state.update((AUDIENCE, *at), &wish(None, Some(*status)), Merge::Checked),
        Write::Archive(at) => {
            state.archive(AUDIENCE, *at);
            Ok(())
        }
        Write::Forget(at) => {
            state.forget(AUDIENCE, *at);
            Ok(())
        }
        Write::Add(at, status) => {
            let wish = wish(Some(fresh(at)), None);
            let there = state.find(AUDIENCE, &fresh(at)).is_some();
            if there { Ok(()) } else { state.create(AUDIENCE, (&wish, status.as_str()), Merge::Checked).map(drop) }
        }
        Write::Move(at, to) => state.update((AUDIENCE, *at), &wish(Some(fresh(to)), None), Merge::Checked),
    };
}

fn carry_all(state: &mut State, writes: &[Write]) {
    for write in writes {
        carry_out(state, write);
    }
}

fn shown(state: &State) -> (Vec<Value>, Vec<u64>) {
    let members = state.roll(AUDIENCE).iter().filter_map(|(at, _)| state.show((AUDIENCE, at), Pick::ALL));
    (members.collect(), Status::ALL.iter().map(|status| state.roll(AUDIENCE).count(*status)).collect())
}

proptest! {
    #[test]
    fn what_is_pretended_leaves_no_trace(before in writes(), pretended in writes()) {
        let mut state = state();
        carry_all(&mut state, &before);
        let expected = shown(&state);
        state.open_journal();
        carry_all(&mut state, &pretended);
        state.unwind_journal();
        prop_assert_eq!(shown(&state), expected);
        // Also what is not shown is as before: the same writes have the same effect.
        let mut untouched = self::state();
        carry_all(&mut untouched, &before);
        carry_all(&mut untouched, &pretended);
        carry_all(&mut state, &pretended);
        prop_assert_eq!(shown(&state).1, shown(&untouched).1);
    }

    #[test]
    fn no_write_subscribes_who_left_and_their_own_confirmation_does(writes in writes()) {
        let mut state = state();
        let person = state.population.with_plot(Plot::LeftLetter).next().unwrap();
        let who = person.spelling(AUDIENCE.system());
        let at = state.find(AUDIENCE, &who).unwrap();
        for write in &writes {
            carry_out(&mut state, write);
            let status = state.roll(AUDIENCE).member(at).map(|member| member.status);
            prop_assert_ne!(status, Some(Status::Subscribed));
        }
        if let Some(member) = state.roll(AUDIENCE).member(at) {
            let email = state.email(AUDIENCE, member);
            for what in [MailchimpDeed::SignUp, MailchimpDeed::Confirm] {
                state.act_on(MailchimpAct { audience: AUDIENCE, email: email.clone(), what }).unwrap();
            }
            prop_assert_eq!(state.roll(AUDIENCE).member(at).map(|member| member.status), Some(Status::Subscribed));
        }
    }

    #[test]
    fn every_member_is_found_by_its_address_and_the_counts_add_up(writes in writes()) {
        let mut state = state();
        carry_all(&mut state, &writes);
        let mut counted = [0_u64; Status::ALL.len()];
        for (at, member) in state.roll(AUDIENCE).iter() {
            counted[member.status as usize] += 1;
            prop_assert_eq!(state.find(AUDIENCE, &state.email(AUDIENCE, member)), Some(at));
        }
        prop_assert_eq!(counted.to_vec(), shown(&state).1);
    }
}
