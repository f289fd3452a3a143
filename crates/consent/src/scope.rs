//! How far an act reaches: grants are read narrowly, negatives widely (consent model 4.6).

use crate::channel::{Channel, Channels};
use crate::fact::{Purposes, Scope};
use crate::policy::Policy;
use crate::text::{PurposeId, SystemId};

/// Whether a grant names exactly this purpose and channel, by itself or by the lineage that the policy declares.
pub(crate) fn grants(policy: &Policy, system: &SystemId, scope: &Scope, purpose: &PurposeId, channel: Channel) -> bool {
    scope.channels.contains(channel)
        && match &scope.purposes {
            // "All marketing" names no purpose, so it grants none.
            Purposes::AllMarketing => false,
            Purposes::Named(named) => named.iter().any(|named| carries(policy, named, purpose)),
            Purposes::List(list) => {
                policy.list_purpose(system, list).is_some_and(|named| carries(policy, named, purpose))
            }
        }
}

/// Whether the notice of the older purpose covered the newer one, or they are the same.
fn carries(policy: &Policy, named: &PurposeId, purpose: &PurposeId) -> bool {
    named == purpose || policy.lineage.get(named).is_some_and(|newer| newer.contains(purpose))
}

/// Whether a negative reaches this purpose and channel.
///
/// It covers the purpose and what is part of it; what nobody mapped covers the whole channel. Service is reached only
/// where it is named.
pub(crate) fn refuses(
    policy: &Policy,
    system: &SystemId,
    scope: &Scope,
    purpose: &PurposeId,
    channel: Channel,
) -> bool {
    let channels = if scope.channels.is_empty() { Channels::ALL } else { scope.channels };
    if !channels.contains(channel) {
        return false;
    }
    let whole_channel = !policy.is_service(purpose);
    let named = |named: &PurposeId| {
        if policy.purposes.contains_key(named) { policy.is_within(purpose, named) } else { whole_channel }
    };
    match &scope.purposes {
        Purposes::AllMarketing => whole_channel,
        Purposes::Named(names) => {
            if names.is_empty() {
                whole_channel
            } else {
                names.iter().any(named)
            }
        }
        Purposes::List(list) => policy.list_purpose(system, list).map_or(whole_channel, named),
    }
}
