//! Reachability: can the address be used at all? An axis of its own, never mixed with permission (I17).

use jiff::SignedDuration;

use crate::address::Address;
use crate::evidence::Level;
use crate::fact::Kind;
use crate::law::Law;
use crate::standing::{Act, Standing};
use crate::term::{Bounce, Status};
use crate::time::Interval;

/// What is known of one address, whoever's it is.
#[derive(Debug)]
pub(crate) struct Reach {
    /// Bounces that make it undeliverable now, as indices of facts.
    pub(crate) dead: Vec<usize>,
    /// When somebody else got it.
    pub(crate) reassigned: Vec<(Interval, usize)>,
}

impl Reach {
    pub(crate) fn of(standing: &Standing, address: &Address, law: &Law) -> Self {
        let here = |act: &&Act| standing.is_on(act, address, law);
        let signs: Vec<(&Act, Sign)> = standing
            .others
            .iter()
            .filter_map(|act| Some((act, Sign::of(&standing.fact_of(act).kind)?)))
            .filter(|(act, _)| here(act))
            .collect();
        let proofs: Vec<Interval> = standing
            .grants
            .iter()
            .filter(|grant| grant.level >= Level::Confirmed && here(&&grant.act))
            // A click on the link in a message to the address shows that it takes mail; a session does not.
            .filter(|grant| matches!(&standing.fact_of(&grant.act).kind, Kind::Grant { evidence, .. } if evidence.doi))
            .map(|grant| grant.act.at)
            .chain(signs.iter().filter(|(_, sign)| *sign == Sign::Proof).map(|(act, _)| act.at))
            .collect();
        let deliveries: Vec<Interval> =
            signs.iter().filter(|(_, sign)| *sign == Sign::Delivery).map(|(act, _)| act.at).collect();
        let after = |later: &[Interval], at: &Interval| later.iter().filter(|later| later.is_after(at)).count();
        let need = law.policy.deliveries_clear_hard.max(1) as usize;

        let mut dead: Vec<usize> = signs
            .iter()
            .filter(|(_, sign)| *sign == Sign::Bounce(Bounce::Hard))
            .filter(|(act, _)| after(&proofs, &act.at) == 0 && after(&deliveries, &act.at) < need)
            .map(|(act, _)| act.fact)
            .collect();
        let soft: Vec<&Act> = signs
            .iter()
            .filter(|(_, sign)| *sign == Sign::Bounce(Bounce::Soft))
            .map(|(act, _)| *act)
            .filter(|act| after(&proofs, &act.at) == 0 && after(&deliveries, &act.at) == 0)
            .collect();
        dead.extend(worn_out(soft, law));
        let reassigned = signs
            .iter()
            .filter(|(_, sign)| *sign == Sign::Bounce(Bounce::Reassigned))
            .map(|(act, _)| (act.at, act.fact))
            .collect();
        Self { dead, reassigned }
    }
}

/// What a fact says of an address's reachability.
#[derive(PartialEq, Eq, Clone, Copy)]
enum Sign {
    Bounce(Bounce),
    Delivery,
    Proof,
}

impl Sign {
    fn of(kind: &Kind) -> Option<Self> {
        match kind {
            Kind::Bounce(bounce) => Some(Self::Bounce(*bounce)),
            Kind::Snapshot { status: Status::Invalid, .. } => Some(Self::Bounce(Bounce::Hard)),
            Kind::Delivered => Some(Self::Delivery),
            Kind::ControlProof => Some(Self::Proof),
            _ => None,
        }
    }
}

/// The soft bounces that together make an address undeliverable: enough of them in one window, spread widely enough.
///
/// The window slides over the bounces, not over the present: time alone revives nothing (I5).
fn worn_out(mut soft: Vec<&Act>, law: &Law) -> Vec<usize> {
    let policy = &law.policy;
    let enough = policy.soft_threshold.max(1) as usize;
    soft.sort_by_key(|act| (act.at.hi, act.fact));
    let span = |a: &Act, b: &Act| b.at.hi.duration_since(a.at.hi);
    for (start, first) in soft.iter().enumerate() {
        let window: Vec<&&Act> = soft[start..].iter().filter(|act| span(first, act) <= policy.soft_window).collect();
        let spread = window.last().map_or(SignedDuration::ZERO, |last| span(first, last));
        if window.len() >= enough && spread >= policy.soft_span {
            return window.iter().map(|act| act.fact).collect();
        }
    }
    Vec::new()
}
