//! A line and its one spelling. Its hash is SHA-256 over the same line without the member `hash`; the member `prev` in it
//! makes the chain.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::Digest as _;
use unisson_consent::{AddressKind, FactId, KeyId};
use unisson_plan::erasure::{CaseId, CaseState};

use super::entry::{Entry, Record, Seal};
use super::{Head, LINE_BYTES_MAX};
use crate::digest::{Digest32, unhex};

const KINDS: [AddressKind; 3] = [AddressKind::Email, AddressKind::Phone, AddressKind::Postal];

/// The members of every kind of line, in the order of their names: written one after the other they are canonical.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    case: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<Digest32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    commits: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    erased_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fact: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hash: Option<Digest32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    head: Option<Digest32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<u32>,
    kind: String,
    prev: Digest32,
    seq: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<String>,
}

/// A line ready to be written, without its end.
pub(super) struct Rendered {
    pub(super) text: String,
    pub(super) head: Head,
}

/// The line that follows this head. Fails with what is wrong with the record.
pub(super) fn render(last: Head, at: Timestamp, record: &Record) -> Result<Rendered, &'static str> {
    let seq = last.lines + 1;
    let mut line = Line { at, prev: last.hash, seq, ..Line::default() };
    match record {
        Record::Tombstone { case, fact, seal, erased_at } => {
            line.seal("tombstone", *fact, *seal);
            line.case = Some(case.0.clone());
            line.erased_at = Some(*erased_at);
        }
        Record::Objection { fact, seal, since } => {
            line.seal("objection", *fact, *seal);
            line.since = Some(*since);
        }
        Record::Restriction { fact, seal, since } => {
            line.seal("restriction", *fact, *seal);
            line.since = Some(*since);
        }
        Record::Case { case, state } => {
            "case".clone_into(&mut line.kind);
            line.case = Some(case.0.clone());
            line.state = Some(state.as_str().to_owned());
        }
        Record::Ledger { commits, head } => {
            "ledger".clone_into(&mut line.kind);
            (line.commits, line.head) = (Some(*commits), Some(*head));
        }
    }
    let spelt = |line: &Line| serde_json::to_string(line).map_err(|_| "values cannot be written as JSON");
    let hash = Digest32(sha2::Sha256::digest(spelt(&line)?).into());
    line.hash = Some(hash);
    let text = spelt(&line)?;
    if text.len() >= LINE_BYTES_MAX {
        return Err("line would be too long");
    }
    Ok(Rendered { text, head: Head { lines: seq, hash } })
}

/// Reads a line that must follow this head. Fails with what is wrong with it.
pub(super) fn read(last: Head, bytes: &[u8]) -> Result<Entry, &'static str> {
    let line: Line = serde_json::from_slice(bytes).map_err(|_| "is no entry of a journal")?;
    if line.seq != last.lines + 1 {
        return Err("is not the one that belongs there: a line was removed or added");
    }
    if line.prev != last.hash {
        return Err("does not follow the one before");
    }
    let record = line.record().ok_or("is of a kind that this version does not know, or was changed")?;
    let again = render(last, line.at, &record)?;
    if again.text.as_bytes() != bytes {
        return Err("was changed: its hash is not that of its content");
    }
    Ok(Entry { seq: line.seq, at: line.at, record, hash: again.head.hash })
}

impl Line {
    fn seal(&mut self, kind: &str, fact: FactId, seal: Seal) {
        kind.clone_into(&mut self.kind);
        self.fact = Some(fact.to_string());
        self.address = Some(seal.address.as_str().to_owned());
        (self.key, self.class) = (Some(seal.key.0), Some(seal.class));
    }

    /// What it says; `None` where a member is missing. Members too many show when it is spelt again.
    fn record(&self) -> Option<Record> {
        match self.kind.as_str() {
            "tombstone" => Some(Record::Tombstone {
                case: CaseId(self.case.clone()?),
                fact: self.fact()?,
                seal: self.sealed()?,
                erased_at: self.erased_at?,
            }),
            "objection" => Some(Record::Objection { fact: self.fact()?, seal: self.sealed()?, since: self.since? }),
            "restriction" => Some(Record::Restriction { fact: self.fact()?, seal: self.sealed()?, since: self.since? }),
            "case" => {
                let state = CaseState::parse(self.state.as_deref()?)?;
                Some(Record::Case { case: CaseId(self.case.clone()?), state })
            }
            "ledger" => Some(Record::Ledger { commits: self.commits?, head: self.head? }),
            _ => None,
        }
    }

    fn fact(&self) -> Option<FactId> {
        let mut id = [0; 16];
        unhex(self.fact.as_deref()?, &mut id).then_some(FactId(id))
    }

    fn sealed(&self) -> Option<Seal> {
        let named = self.address.as_deref()?;
        let address = KINDS.into_iter().find(|kind| kind.as_str() == named)?;
        Some(Seal { address, key: KeyId(self.key?), class: self.class? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canon;

    /// One of each kind, in one chain.
    fn lines() -> Vec<String> {
        let at: Timestamp = "2027-01-31T09:00:00.25Z".parse().unwrap();
        let (case, fact) = (CaseId("case-1".to_owned()), FactId([1; 16]));
        let seal = Seal { address: AddressKind::Email, key: KeyId(3), class: Digest32([2; 32]) };
        let records = [
            Record::Tombstone { case: case.clone(), fact, seal, erased_at: at },
            Record::Objection { fact, seal, since: at },
            Record::Restriction { fact, seal, since: at },
            Record::Case { case, state: CaseState::CompletedWithHolds },
            Record::Ledger { commits: 9, head: Digest32([4; 32]) },
        ];
        let mut head = Head::default();
        let line = |record| {
            let line = render(head, at, record).unwrap();
            assert_eq!(read(head, line.text.as_bytes()).unwrap().record, *record);
            head = line.head;
            line.text
        };
        records.iter().map(line).collect()
    }

    #[test]
    fn the_spelling_of_a_line_is_canonical() {
        for line in lines() {
            assert_eq!(canon::read(line.as_bytes()).unwrap().to_text(), line);
        }
    }

    #[test]
    fn the_form_of_the_file_does_not_change() {
        insta::assert_snapshot!(lines().join("\n"));
    }

    #[test]
    fn a_line_with_a_member_too_many_or_another_spelling_is_refused() {
        let first = lines().swap_remove(0);
        for changed in [
            first.replace("\"kind\"", "\"commits\":1,\"kind\""),
            first.replace("\"kind\"", "\"kin\":1,\"kind\""),
            first.replace("2027-01-31T09:00:00.25Z", "2027-01-31T10:00:00.25+01:00"),
            first.replace("\"seq\":1", "\"seq\":2"),
            first.replace(":\"tombstone\"", ":\"objection\""),
            format!("{first} "),
        ] {
            assert_ne!(changed, first);
            assert!(read(Head::default(), changed.as_bytes()).is_err(), "{changed}");
        }
    }
}
