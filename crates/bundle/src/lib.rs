//! The list of compiled-in connectors, and how far each kind of platform can be trusted where settings say nothing.
//!
//! A new connector is its own directory plus one line here.

use unisson_consent::{Channel, Channels, Clock, Level, Resubscribe, System};
use unisson_sdk::Kind;

/// A connector that this program brings.
#[derive(Clone)]
pub struct Bundled {
    /// How it is described and built.
    pub kind: Kind,
    /// How far its platform can be trusted.
    pub trust: System,
    /// Which of its settings are paths: the host reads relative ones against the folder of the settings file.
    pub paths: &'static [&'static str],
    /// A commented settings table to start from.
    pub example: &'static str,
}

/// Every connector, in the order of their names.
pub fn all() -> Vec<Bundled> {
    let email = Channels::one(Channel::Email);
    vec![
        // No notice, no place and no time of an opt-in anywhere. It takes back whoever it is told to.
        Bundled {
            kind: unisson_brevo::KIND,
            trust: trust(Clock::Good, Level::Claim, (email.with(Channel::Sms), Resubscribe::Allowed)),
            paths: &[],
            example: include_str!("../../../connectors/brevo/example.toml"),
        },
        // A file says what somebody wrote into it: its words count as refusals, hardly as proof, and nothing is sent from it.
        Bundled {
            kind: unisson_files::KIND,
            trust: trust(Clock::Poor, Level::Claim, (Channels::NONE, Resubscribe::Forbidden)),
            paths: &["path"],
            example: include_str!("../../../connectors/files/example.toml"),
        },
        // No notice text anywhere: a CRM vouches for when and where at best. It re-subscribes whoever it is told to.
        Bundled {
            kind: unisson_hubspot::KIND,
            trust: trust(Clock::Good, Level::Traceable, (email, Resubscribe::Allowed)),
            paths: &[],
            example: include_str!("../../../connectors/hubspot/example.toml"),
        },
        // It keeps confirmation times, and answers "Member In Compliance State" to whoever opted out: only it may ask.
        Bundled {
            kind: unisson_mailchimp::KIND,
            trust: trust(Clock::Good, Level::Confirmed, (email.with(Channel::Sms), Resubscribe::VendorDoi)),
            paths: &[],
            example: include_str!("../../../connectors/mailchimp/example.toml"),
        },
    ]
}

/// The connector of this name.
pub fn find(name: &str) -> Option<Bundled> {
    all().into_iter().find(|bundled| bundled.kind.name == name)
}

/// What a kind of platform is trusted with: its clock, its proof, and where its contacts are written to.
fn trust(clock: Clock, level_max: Level, (channels, resubscribe): (Channels, Resubscribe)) -> System {
    let marketing = !channels.is_empty();
    System { clock, zone: None, sequenced: false, level_max, marketing, channels, resubscribe }
}
