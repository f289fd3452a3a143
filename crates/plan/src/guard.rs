//! The guard: a run that would change suspiciously much is held until somebody looked.
//!
//! A planned change is a draft until its run is released. What a person said himself is never held back.

use unisson_consent::SystemId;

/// What is suspicious: more contacts than `count` **and** more than `share` of the instance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GuardRule {
    /// More contacts than this …
    pub count: u64,
    /// … and more than this share of the instance's contacts, from 0 to 1.
    pub share: f64,
}

/// What the drafts of a run would change at one instance, the person's own refusals left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// Where.
    pub instance: SystemId,
    /// How many contacts.
    pub changes: u64,
    /// Of how many that the instance holds.
    pub contacts: u64,
}

/// Proof that the guard let the drafts of a run go. Only [`admit`] makes one, and only with one can drafts be released.
#[derive(Debug)]
pub struct Guarded(());

/// The instances whose drafts are held, each with its tally.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held(pub Vec<Tally>);

/// Lets a run go or holds it.
///
/// ```
/// use unisson_plan::{GuardRule, Tally, admit};
/// let rule = GuardRule { count: 100, share: 0.05 };
/// let tally = |changes, contacts| Tally { instance: "news".into(), changes, contacts };
/// assert!(admit(&[tally(100, 100)], rule).is_ok(), "not more than the count");
/// assert!(admit(&[tally(400, 10_000)], rule).is_ok(), "not more than the share");
/// assert!(admit(&[tally(600, 10_000)], rule).is_err());
/// ```
pub fn admit(tallies: &[Tally], rule: GuardRule) -> Result<Guarded, Held> {
    let held: Vec<Tally> = tallies.iter().filter(|tally| is_suspicious(tally, rule)).cloned().collect();
    if held.is_empty() { Ok(Guarded(())) } else { Err(Held(held)) }
}

/// Lets go what somebody approved after looking at it.
pub fn approved() -> Guarded {
    Guarded(())
}

fn is_suspicious(tally: &Tally, rule: GuardRule) -> bool {
    #[expect(clippy::cast_precision_loss, reason = "a share of contacts needs no more than 52 bits")]
    let share = tally.changes as f64 / tally.contacts.max(1) as f64;
    tally.changes > rule.count && share > rule.share
}
