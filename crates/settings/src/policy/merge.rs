//! A profile and the overrides of a policy, laid together and read.
//!
//! Tables are laid over each other key by key, and basis rules by their `id`; everything else, lists included, replaces
//! what it overrides, `[[hold]]` too. `without_basis` takes rules of the profile away.

use serde_json::{Map, Value};
use sha2::Digest as _;
use unisson_consent::RegrantLevels;

use super::build::build;
use super::file::PolicyFile;
use super::profile::{DEFAULT_POLICY, Profile};
use super::{LoadedPolicy, WHAT, check};
use crate::document::Document;
use crate::error::{Defect, LoadError};
use crate::layer::Origins;
use crate::nearest::instead;
use crate::path::KeyPath;
use crate::read::read;
use crate::word::Vocabulary;

/// The most basis rules a policy can have.
const RULES_MAX: usize = 1_000;

/// Reads a policy over the profile that it names.
pub(super) fn load(user: Document) -> Result<LoadedPolicy, LoadError> {
    read_over(user).map_err(|defects| LoadError::Refused { what: WHAT, defects })
}

fn read_over(user: Document) -> Result<LoadedPolicy, Vec<Defect>> {
    let profile = named(&user)?;
    let mut laid = Laid::default();
    laid.lay(Document::parse(&source("policy"), DEFAULT_POLICY).map_err(|defect| vec![defect])?)?;
    if let Some(text) = profile.text() {
        laid.lay(Document::parse(&source(profile.as_str()), text).map_err(|defect| vec![defect])?)?;
    }
    let floor = laid.read()?.level.regrant.levels();
    laid.lay(user)?;
    let file = laid.read()?;
    let order = laid.origins();
    check::check(&file, floor, &order)?;
    let effective = canonical(&Value::Object(laid.root));
    let hash = hex(&sha2::Sha256::digest(effective.as_bytes()));
    Ok(build(file, effective, hash))
}

/// What messages call a built-in text: its defects are put right in the policy that lies over it.
fn source(name: &str) -> String {
    format!("built-in {name}.toml (override it in your policy)")
}

/// The profile that a policy names. It must, and it must name its edition: decisions cite it.
fn named(user: &Document) -> Result<Profile, Vec<Defect>> {
    let mut origins = Origins::default();
    origins.push(user);
    let defect = |key: &str, problem: String| vec![origins.defect(&KeyPath::of(&[key]), problem)];
    if !user.root.contains_key("version") {
        return Err(defect(
            "version",
            "is missing; name this edition, for example version = \"2026-11-23.1\"".to_owned(),
        ));
    }
    let words = Profile::words();
    match user.root.get("profile") {
        Some(Value::String(word)) => Profile::meaning(word)
            .ok_or_else(|| defect("profile", format!("is not a profile; {}", instead(word, &words)))),
        Some(_) => Err(defect("profile", format!("is not a profile; write one of {}, in quotes", words.join(", ")))),
        None => Err(defect("profile", format!("is missing; write one of {}", words.join(", ")))),
    }
}

/// Documents laid over each other.
#[derive(Default)]
struct Laid {
    root: Map<String, Value>,
    /// The documents, lowest first; basis rules are known by their id there, not by their number.
    documents: Vec<Document>,
    /// Ids of all rules that were ever there, those taken away included.
    rules: Vec<String>,
}

impl Laid {
    fn lay(&mut self, document: Document) -> Result<(), Vec<Defect>> {
        let mut origins = Origins::default();
        origins.push(&document);
        let mut root = document.root.clone();
        let without = root.remove("without_basis");
        let basis = root.remove("basis");
        over(&mut self.root, root);
        self.lay_rules(basis, &origins)?;
        self.take_away(without, &origins)?;
        self.documents.push(document);
        Ok(())
    }

    fn lay_rules(&mut self, basis: Option<Value>, origins: &Origins) -> Result<(), Vec<Defect>> {
        let path = KeyPath::of(&["basis"]);
        let defect = |path: &KeyPath, problem: &str| vec![origins.defect(path, problem)];
        let rules = match basis {
            None => return Ok(()),
            Some(Value::Array(rules)) => rules,
            Some(_) => return Err(defect(&path, "is no list of rules; write [[basis]] above each rule")),
        };
        let mut seen: Vec<String> = Vec::new();
        for (index, rule) in rules.into_iter().enumerate() {
            let path = path.index(index);
            let Value::Object(rule) = rule else { return Err(defect(&path, "is no rule; write [[basis]] above it")) };
            let Some(Value::String(id)) = rule.get("id") else {
                return Err(defect(&path, "has no id; write for example id = \"fr_soft_optin\""));
            };
            if seen.contains(id) {
                return Err(defect(&path.key("id"), "is the id of another rule of this file; give each its own"));
            }
            seen.push(id.clone());
            if seen.len() > RULES_MAX {
                return Err(defect(&path, &format!("is one rule too many; a policy can have {RULES_MAX}")));
            }
            self.lay_rule(id.clone(), rule);
        }
        Ok(())
    }

    fn lay_rule(&mut self, id: String, rule: Map<String, Value>) {
        let entry = self.root.entry("basis").or_insert_with(|| Value::Array(Vec::new()));
        let Value::Array(laid) = entry else { return };
        let same =
            laid.iter_mut().find_map(|known| known.as_object_mut().filter(|known| known.get("id") == rule.get("id")));
        match same {
            Some(known) => over(known, rule),
            None => laid.push(Value::Object(rule)),
        }
        if !self.rules.contains(&id) {
            self.rules.push(id);
        }
    }

    fn take_away(&mut self, without: Option<Value>, origins: &Origins) -> Result<(), Vec<Defect>> {
        let path = KeyPath::of(&["without_basis"]);
        let how = "is no list of rules; write for example without_basis = [\"fr_b2b_li\"]";
        let ids = match without {
            None => return Ok(()),
            Some(Value::Array(ids)) => ids,
            Some(_) => return Err(vec![origins.defect(&path, how)]),
        };
        for (index, id) in ids.iter().enumerate() {
            let path = path.index(index);
            let Value::String(id) = id else { return Err(vec![origins.defect(&path, how)]) };
            if !self.rules.contains(id) {
                let known: Vec<&str> = self.rules.iter().map(String::as_str).collect();
                return Err(vec![origins.defect(&path, format!("is no basis rule; {}", instead(id, &known)))]);
            }
            if let Some(Value::Array(laid)) = self.root.get_mut("basis") {
                laid.retain(|rule| rule.get("id").and_then(Value::as_str) != Some(id));
            }
        }
        Ok(())
    }

    fn read(&self) -> Result<PolicyFile, Vec<Defect>> {
        read(self.root.clone(), &self.origins())
    }

    /// Where everything was written, with basis rules at their number in the laid whole.
    fn origins(&self) -> Origins {
        let ids: Vec<Option<&str>> = rules(&self.root).iter().map(id_of).collect();
        let names = ids.iter().map(|id| id.unwrap_or_default().to_owned()).collect();
        let mut origins = Origins::labelled("basis", names);
        for document in &self.documents {
            let own: Vec<Option<&str>> = rules(&document.root).iter().map(id_of).collect();
            let place = |index: usize| ids.iter().position(|id| id.is_some() && Some(id) == own.get(index));
            origins.push_moved(document, "basis", place);
        }
        origins
    }
}

fn rules(root: &Map<String, Value>) -> &[Value] {
    root.get("basis").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn id_of(rule: &Value) -> Option<&str> {
    rule.get("id").and_then(Value::as_str)
}

/// Lays one table over another, table by table.
fn over(below: &mut Map<String, Value>, above: Map<String, Value>) {
    for (key, value) in above {
        match (below.get_mut(&key), value) {
            (Some(Value::Object(below)), Value::Object(above)) => over(below, above),
            (_, value) => {
                below.insert(key, value);
            }
        }
    }
}

/// JSON with the keys of every table in their order, so that equal policies have equal text.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(entries) => {
            let mut keys: Vec<&String> = entries.keys().collect();
            keys.sort_unstable();
            let entry = |key: &String| format!("{}:{}", Value::from(key.as_str()), canonical(&entries[key]));
            format!("{{{}}}", keys.into_iter().map(entry).collect::<Vec<_>>().join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        leaf => leaf.to_string(),
    }
}

fn hex(digest: &[u8]) -> String {
    use std::fmt::Write as _;
    digest.iter().fold(String::with_capacity(digest.len() * 2), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

impl super::file::RegrantSection {
    /// The levels as the law reads them.
    pub(super) fn levels(&self) -> RegrantLevels {
        RegrantLevels {
            refuse: self.refuse.0,
            withdraw: self.withdraw.0,
            object: self.object.0,
            complaint: self.complaint.0,
            erase: self.erase.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_that_is_digested_has_one_form() {
        let value = serde_json::json!({ "b": [1, true, "é\n"], "a": { "d": null, "c": -2 } });
        // Decisions cite the digest: another form would make yesterday's policy a different one.
        assert_eq!(canonical(&value), "{\"a\":{\"c\":-2,\"d\":null},\"b\":[1,true,\"é\\n\"]}");
        assert_eq!(
            hex(&sha2::Sha256::digest(b"abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
