//! Who the controller is, and what erasing people needs: where it is written down, with which keys, by which calendar.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use unisson_consent::KeyId;

use super::StoreUrl;
use crate::path::{KeyPath, Step};
use crate::read::section;
use crate::secret::KeyRef;
use crate::word::{Day, Zone};

/// The journal, where the settings name none: beside the store.
const JOURNAL: &str = "erasures.jsonl";

/// The most tombstone keys that are kept. One is made in years.
const KEYS_MAX: usize = 256;

/// The most holidays: a generation of them.
const HOLIDAYS_MAX: usize = 1_000;

/// The longest name or contact of a controller, in characters.
const WORDS_CHARS_MAX: usize = 200;

/// Who is responsible for the data (art. 4(7)), as the people are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Controller {
    /// The name.
    pub name: String,
    /// Where people write to, in words: an address, a form.
    pub contact: Option<String>,
}

/// One key that tombstones are sealed with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TombstoneKey {
    /// Its id. A tombstone keeps the id of the key it was made with.
    pub id: KeyId,
    /// Where it is.
    pub key: KeyRef,
}

/// What erasing people needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Erasure {
    /// The journal of erasures, resolved.
    pub journal: PathBuf,
    /// The key that certificates are signed with.
    pub signing_key: Option<KeyRef>,
    /// The keys of tombstones, the newest last: it seals new ones. Empty is enough for everything but erasing.
    pub tombstone_keys: Vec<TombstoneKey>,
    /// Where the controller's days begin and end.
    pub zone: TimeZone,
    /// Days on which nobody works, beside weekends.
    pub holidays: BTreeSet<Date>,
}

impl Erasure {
    /// The key that seals new tombstones: that of the highest id.
    pub fn sealing_key(&self) -> Option<&TombstoneKey> {
        self.tombstone_keys.last()
    }
}

section! {
    /// Who is responsible.
    ControllerSection {
        name: String,
        contact: Option<String>,
    }
}

section! {
    /// What erasing needs.
    ErasureSection {
        journal: Option<PathBuf>,
        signing_key: Option<KeyRefSection>,
        tombstone_keys: Vec<TombstoneKeySection>,
        zone: Zone,
        holidays: Vec<Day>,
    }
}

section! {
    /// One key of tombstones.
    TombstoneKeySection {
        id: u32,
        key: KeyRefSection,
    }
}

section! {
    /// Where a key is.
    KeyRefSection {
        file: Option<PathBuf>,
        env: Option<String>,
    }
}

/// The keys that a table under `[erasure]` can have.
pub(super) fn keys(path: &[Step]) -> &'static [&'static str] {
    let key = |place: usize| match path.get(place) {
        Some(Step::Key(key)) => key.as_str(),
        Some(Step::Index(_)) | None => "",
    };
    match (path.len(), key(0)) {
        (0, _) => ErasureSection::KEYS,
        (2, "tombstone_keys") => TombstoneKeySection::KEYS,
        (_, "signing_key" | "tombstone_keys") => KeyRefSection::KEYS,
        _ => &[],
    }
}

/// What is wrong, with the keys that lead there.
type Problems = Vec<(KeyPath, String)>;

impl ControllerSection {
    /// Checks the words that people will read.
    pub(super) fn checked(self, problems: &mut Problems) -> Controller {
        let path = KeyPath::of(&["controller"]);
        for (key, words) in [("name", Some(&self.name)), ("contact", self.contact.as_ref())] {
            let Some(words) = words else { continue };
            if words.trim().is_empty() {
                problems.push((path.key(key), "says nothing; write what people should read".to_owned()));
            } else if words.chars().count() > WORDS_CHARS_MAX {
                problems.push((path.key(key), format!("is longer than {WORDS_CHARS_MAX} characters; shorten it")));
            }
        }
        Controller { name: self.name, contact: self.contact }
    }
}

impl ErasureSection {
    /// Checks what no type can, and resolves the path of the journal.
    pub(super) fn checked(self, (folder, store): (&Path, Option<&StoreUrl>), problems: &mut Problems) -> Erasure {
        let path = KeyPath::of(&["erasure"]);
        if self.journal.as_ref().is_some_and(|journal| journal.as_os_str().is_empty()) {
            problems.push((path.key("journal"), format!("names no file; write for example journal = \"{JOURNAL}\"")));
        }
        if self.holidays.len() > HOLIDAYS_MAX {
            problems
                .push((path.key("holidays"), format!("has more than {HOLIDAYS_MAX} days; leave out the past ones")));
        }
        let beside = store.and_then(|StoreUrl::Sqlite(file)| file.parent()).unwrap_or(folder);
        let journal = self.journal.map_or_else(|| beside.join(JOURNAL), |journal| folder.join(journal));
        let signing_key = self.signing_key.and_then(|section| section.checked(&path.key("signing_key"), problems));
        Erasure {
            journal,
            signing_key,
            tombstone_keys: tombstone_keys(self.tombstone_keys, &path.key("tombstone_keys"), problems),
            zone: self.zone.0,
            holidays: self.holidays.into_iter().map(|day| day.0).collect(),
        }
    }
}

fn tombstone_keys(sections: Vec<TombstoneKeySection>, path: &KeyPath, problems: &mut Problems) -> Vec<TombstoneKey> {
    if sections.len() > KEYS_MAX {
        problems.push((path.clone(), format!("has more than {KEYS_MAX} keys; take out those no tombstone needs")));
        return Vec::new();
    }
    let mut keys = BTreeMap::new();
    for (index, section) in sections.into_iter().enumerate() {
        let path = path.index(index);
        let Some(key) = section.key.checked(&path.key("key"), problems) else { continue };
        if keys.insert(section.id, key).is_some() {
            let problem = "is the id of another key; a tombstone must know its own, so give each key its own id";
            problems.push((path.key("id"), problem.to_owned()));
        }
    }
    keys.into_iter().map(|(id, key)| TombstoneKey { id: KeyId(id), key }).collect()
}

impl KeyRefSection {
    fn checked(self, path: &KeyPath, problems: &mut Problems) -> Option<KeyRef> {
        match (self.file, self.env) {
            (Some(file), None) if !file.as_os_str().is_empty() => Some(KeyRef::File(file)),
            (None, Some(name)) if !name.is_empty() => Some(KeyRef::Env(name)),
            _ => {
                let problem = "needs one place; write { file = \"…\" } or { env = \"…\" }, never the key itself";
                problems.push((path.clone(), problem.to_owned()));
                None
            }
        }
    }
}
