//! What a portrait is made of, and the three files that it becomes.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use unisson_connector::Gathered;
use unisson_consent::{Address, Country, Fact, Family, HoldBasis, ListId, Policy, PurposeId, SystemId};
use unisson_plan::Explanation;

use crate::{access, consents, page, words};

/// Who answers the request (art. 4(7)).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Controller {
    /// The name.
    pub name: String,
    /// Where to write to, in words: an address, a form.
    pub contact: Option<String>,
}

/// What came of looking into one system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look {
    /// It was read, and this is all it shows.
    Gathered(Gathered),
    /// It could not be read, and the page says so.
    NotCovered {
        /// Why, in words for the person. Nothing personal.
        why: String,
    },
}

/// One connected system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemPart {
    /// Its name in the settings.
    pub name: SystemId,
    /// Its name for people; the same as `name` where nobody gave another.
    pub title: String,
    /// The platform: "Mailchimp".
    pub connector: String,
    /// What came of the look.
    pub look: Look,
}

/// Everything known of one address of the person.
#[derive(Debug, Clone)]
pub struct Known {
    /// The address.
    pub address: Address,
    /// What is decided about it, and why.
    pub explanation: Explanation,
    /// The facts behind it in full. One that the explanation tells and that is missing here is told without its proof.
    pub facts: Vec<Fact>,
}

/// A purpose, as the person is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToldPurpose {
    /// The purpose.
    pub id: PurposeId,
    /// Its name for people.
    pub title: String,
    /// What is done for it, in a sentence.
    pub description: Option<String>,
    /// Marketing or service.
    pub family: Family,
    /// The wider purpose that it is part of.
    pub parent: Option<PurposeId>,
    /// Its term in the Data Privacy Vocabulary, as an IRI.
    pub dpv: Option<String>,
}

impl ToldPurpose {
    /// The purposes of a policy, each titled by its own name: `order_service` is "Order service".
    pub fn all_of(policy: &Policy) -> Vec<Self> {
        let purposes = policy.purposes.iter().map(|(id, purpose)| Self {
            id: id.clone(),
            title: titled(id),
            description: None,
            family: purpose.family,
            parent: purpose.parent.clone(),
            dpv: purpose.dpv.clone(),
        });
        purposes.collect()
    }
}

/// Somebody who held or got data of the person (art. 15(1)(c), by name: C-154/21).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// Who: the platform or the company.
    pub name: String,
    /// What they hold or got, in words: "your address and what you agreed to".
    pub received: String,
    /// When they last got something, where that is known.
    pub last: Option<Timestamp>,
}

/// A file with data of the person that was handed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileGiven {
    /// When.
    pub at: Timestamp,
    /// To whom.
    pub to: String,
    /// What was in it, in words.
    pub what: String,
}

/// Data that stays, or would stay, after an erasure (art. 17(3)).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keeping {
    /// In which system.
    pub system: SystemId,
    /// What: the groups of fields, in words.
    pub fields: Vec<String>,
    /// Why.
    pub ground: HoldBasis,
    /// The provision that asks for it: "C. com. L123-22".
    pub provision: String,
    /// Until when; `None` where the time has not begun to run.
    pub until: Option<Timestamp>,
}

/// Everything that was gathered for one request.
///
/// `Debug` shows how much, never what.
#[derive(Clone)]
pub struct Portrait {
    /// Who answers.
    pub controller: Controller,
    /// When everything was gathered. The documents bear this time and no other.
    pub made_at: Timestamp,
    /// The zone in which the page tells times. The data files tell them in UTC.
    pub zone: TimeZone,
    /// The languages of the controller's notices, the main one first (BCP 47); empty means English.
    pub languages: Vec<String>,
    /// What the requester typed to be found, word for word and nothing else.
    pub whom: Vec<String>,
    /// Every connected system, also those that could not be read.
    pub systems: Vec<SystemPart>,
    /// What is known of each address.
    pub known: Vec<Known>,
    /// The purposes of the policy.
    pub purposes: Vec<ToldPurpose>,
    /// What the lists of each system are for.
    pub lists: BTreeMap<SystemId, BTreeMap<ListId, PurposeId>>,
    /// Where the controller is.
    pub jurisdiction: Country,
    /// Who held or got data.
    pub recipients: Vec<Recipient>,
    /// Files that were handed out.
    pub files: Vec<FileGiven>,
    /// What an erasure would have to leave.
    pub keeping: Vec<Keeping>,
    /// How long data is kept, in whole sentences.
    pub retention: Vec<String>,
}

impl fmt::Debug for Portrait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (systems, known, records) = (self.systems.len(), self.known.len(), self.records());
        write!(f, "Portrait({systems} systems, {records} records, {known} addresses)")
    }
}

/// Why the documents could not be made.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// One of the data files.
    #[error("failed to write the data file {name}")]
    Data {
        /// Which.
        name: &'static str,
        /// What the serialiser says.
        source: serde_json::Error,
    },
    /// The page.
    #[error("failed to write the page")]
    Page(#[from] fmt::Error),
}

impl Portrait {
    /// The three files, each with its name: `index.html`, `portrait.json` and `consents.json`.
    ///
    /// The same portrait gives the same bytes. The page refers to the other two by these names.
    pub fn documents(&self) -> Result<Vec<(&'static str, Vec<u8>)>, DocumentError> {
        let data = |name, text: Result<String, serde_json::Error>| {
            text.map(|text| (name, format!("{text}\n").into_bytes()))
                .map_err(|source| DocumentError::Data { name, source })
        };
        Ok(vec![
            ("index.html", page::write(self)?.into_bytes()),
            data("portrait.json", serde_json::to_string_pretty(&access::Access::of(self)))?,
            data("consents.json", serde_json::to_string_pretty(&consents::Consents::of(self)))?,
        ])
    }

    /// How many records were found.
    pub(crate) fn records(&self) -> usize {
        self.gathered().map(|(_, gathered)| gathered.holdings.len()).sum()
    }

    /// The systems that were read, with what they show.
    pub(crate) fn gathered(&self) -> impl Iterator<Item = (&SystemPart, &Gathered)> {
        self.systems.iter().filter_map(|part| match &part.look {
            Look::Gathered(gathered) => Some((part, gathered)),
            Look::NotCovered { .. } => None,
        })
    }

    /// The name of a system for people.
    pub(crate) fn title_of<'a>(&'a self, system: &'a SystemId) -> &'a str {
        let part = self.systems.iter().find(|part| part.name == *system);
        part.map_or(system.as_str(), |part| part.title.as_str())
    }

    /// What the person is told of a purpose, where the policy still has it.
    pub(crate) fn purpose(&self, id: &PurposeId) -> Option<&ToldPurpose> {
        self.purposes.iter().find(|purpose| purpose.id == *id)
    }

    /// The name of a purpose for people.
    pub(crate) fn purpose_title(&self, id: &PurposeId) -> String {
        self.purpose(id).map_or_else(|| titled(id), |purpose| purpose.title.clone())
    }
}

/// The name of a purpose as a title: no underscores, a capital first.
fn titled(id: &PurposeId) -> String {
    words::capital(&id.as_str().replace('_', " "))
}
