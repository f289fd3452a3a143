//! Reads scenario files. One wrong scenario never hides the others of its file.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::Path as FilePath;

use serde::{Deserialize, de};
use unisson_consent::{Address, Key, OwnPush, PersonId, PurposeId, PushId, SystemId};

use crate::error::{Defect, Fault, Path, ReadError};
use crate::law::{Names, law};
use crate::nearest::{instead, shown};
use crate::node::{Entry, Node, Value};
use crate::observe::{Observations, reach};
use crate::scenario::{Expectation, Observed, Scenario};
use crate::schema::{self, Stage};
use crate::word::ChannelNames;

/// The schema that is read.
pub const SCHEMA: &str = "consent-scenarios/1";
/// The stage where a file says nothing else.
const DEFAULTS: &str = include_str!("defaults.yaml");
/// The largest file that is read.
const FILE_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// The most scenarios of one file.
const SCENARIOS_MAX: usize = 100_000;
/// The most observations of one scenario.
const OBSERVATIONS_MAX: usize = 1_000;
/// The most expectations of one scenario.
const EXPECTATIONS_MAX: usize = 1_000;

/// The sections of a stage, each with how many tables deep what is written there is laid over what was there before. A
/// preset is replaced as a whole: half of an old one under half of a new one would be evidence nobody described.
const SECTIONS: [(&str, usize); 5] =
    [("now", 0), ("systems", usize::MAX), ("purposes", usize::MAX), ("evidence_presets", 1), ("policy", usize::MAX)];

/// The scenarios of a file: those that can be played, and those that cannot be understood.
#[derive(Debug, Default)]
pub struct Suite {
    /// What can be played, in the order of the file.
    pub scenarios: Vec<Scenario>,
    /// What cannot, with everything that was found wrong.
    pub rejects: Vec<Reject>,
}

/// A scenario that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// Its id, or its place in the file where it has none.
    pub id: String,
    /// The line it begins on.
    pub line: u64,
    /// What is wrong; never empty.
    pub defects: Vec<Defect>,
}

/// Reads a scenario file.
pub fn read_file(path: &FilePath) -> Result<Suite, ReadError> {
    let failed = |source: std::io::Error| match source.kind() {
        ErrorKind::NotFound => ReadError::Missing { path: path.to_owned() },
        _ => ReadError::File { path: path.to_owned(), source },
    };
    let mut bytes = Vec::new();
    File::open(path).map_err(failed)?.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(ReadError::TooLarge { path: path.to_owned(), bytes_max: FILE_BYTES_MAX });
    }
    let text = String::from_utf8(bytes).map_err(|_| ReadError::NotText { path: path.to_owned() })?;
    read_text(path, &text)
}

/// Reads scenarios from their text; `path` names it in messages.
///
/// ```
/// let text = r#"
/// schema: consent-scenarios/1
/// scenarios:
/// - id: mine
///   observations:
///     - {id: a, sys: csv, who: {email: ada@example.org}, obs: "2026-06-01T00:00:00Z", ev: withdraw}
///   expect:
///     - {key: {address: ada@example.org, purpose: newsletter, channel: email}, decision: deny, reason: withdrawn}
/// "#;
/// let suite = unisson_scenario::read_text("mine.yaml".as_ref(), text).unwrap();
/// assert_eq!(suite.scenarios[0].id, "mine");
/// ```
pub fn read_text(path: &FilePath, text: &str) -> Result<Suite, ReadError> {
    suite(text).map_err(|defect| ReadError::Refused { path: path.to_owned(), defect })
}

/// The top of a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Top {
    schema: String,
    #[serde(rename = "defaults")]
    _defaults: Option<de::IgnoredAny>,
    #[serde(rename = "scenarios")]
    _scenarios: de::IgnoredAny,
}

fn suite(text: &str) -> Result<Suite, Defect> {
    let file = Node::parse(text)?;
    let refused = |fault: Fault| defect(&file, None, &fault);
    let top: Top = file.typed().map_err(refused)?;
    if top.schema != SCHEMA {
        let problem = format!("is `{}`; this program reads {SCHEMA}", shown(&top.schema));
        return Err(refused(Fault::at(Path::of(&["schema"]), problem)));
    }
    let defaults = defaults(&file)?;
    let items = match file.get("scenarios").map(|node| &node.value) {
        Some(Value::List(items)) if items.is_empty() => Err("is empty, and nothing tested is nothing proven; add one"),
        Some(Value::List(items)) if items.len() > SCENARIOS_MAX => Err("has too many; split the file"),
        Some(Value::List(items)) => Ok(items),
        _ => Err("needs a list of scenarios, each beginning with `- id:`"),
    };
    let items = items.map_err(|problem| refused(Fault::at(Path::of(&["scenarios"]), problem)))?;
    let mut suite = Suite::default();
    let mut lines: BTreeMap<&str, u64> = BTreeMap::new();
    for (place, item) in items.iter().enumerate() {
        let id = item.get("id").and_then(Node::text);
        let first = id.and_then(|id| lines.insert(id, item.line));
        let read = match first {
            Some(line) => Err(vec![Fault::at(
                Path::of(&["id"]),
                format!("is the id of two scenarios, the other is on line {line}; give each its own"),
            )]),
            None => scenario(item, &defaults),
        };
        match read {
            Ok(scenario) => suite.scenarios.push(scenario),
            Err(faults) => suite.rejects.push(reject(item, place, &faults)),
        }
    }
    Ok(suite)
}

fn reject(item: &Node, place: usize, faults: &[Fault]) -> Reject {
    let place = format!("scenarios[{place}]");
    let id = item.get("id").and_then(Node::text).map(shown);
    let nameless = |defect: Defect| match defect.path.as_str() {
        "" => Defect { path: place.clone(), ..defect },
        path => Defect { path: format!("{place}.{path}"), ..defect },
    };
    let defects = faults.iter().map(|fault| defect(item, id.as_deref(), fault));
    let defects = if id.is_some() { defects.collect() } else { defects.map(nameless).collect() };
    Reject { id: id.unwrap_or_else(|| place.clone()), line: item.line, defects }
}

/// The built-in stage with the file's own laid over it. What is wrong there is wrong for every scenario.
fn defaults(file: &Node) -> Result<Node, Defect> {
    let built_in = Node::parse(DEFAULTS)?;
    let Some(written) = file.get("defaults") else { return Ok(built_in) };
    let outer = Path::of(&["defaults"]);
    let refused = |fault: Fault| defect(file, None, &fault.after(&outer));
    let Value::Table(entries) = &written.value else {
        return Err(refused(Fault::new("needs a table such as {now: …, systems: …, policy: …}")));
    };
    let known = SECTIONS.map(|(section, _)| section);
    if let Some(entry) = entries.iter().find(|entry| !known.contains(&entry.key.as_str())) {
        let problem = format!("is not known here; {}", instead(&entry.key, &known));
        return Err(refused(Fault::at(Path::of(&[&entry.key]), problem)));
    }
    let whole = overlaid(&built_in, written);
    let stage: Stage = whole.typed().map_err(refused)?;
    law(&stage).map_err(refused)?;
    Ok(whole)
}

/// A stage with the sections of another node laid over it.
fn overlaid(below: &Node, above: &Node) -> Node {
    let section = |(section, depth): (&str, usize)| {
        let held = below.get(section);
        let node = match (held, above.get(section)) {
            (Some(held), Some(over)) => held.overlaid(over, depth),
            (held, over) => over.or(held)?.clone(),
        };
        Some(Entry { key: section.to_owned(), line: node.line, node })
    };
    Node { line: above.line, value: Value::Table(SECTIONS.into_iter().filter_map(section).collect()) }
}

fn scenario(node: &Node, defaults: &Node) -> Result<Scenario, Vec<Fault>> {
    let one = |fault: Fault| vec![fault];
    let written: schema::Scenario = node.typed().map_err(one)?;
    let bounds = [
        ("observations", written.observations.len(), OBSERVATIONS_MAX),
        ("expect", written.expect.len(), EXPECTATIONS_MAX),
    ];
    if let Some((field, count, max)) = bounds.into_iter().find(|(_, count, max)| count > max) {
        return Err(one(Fault::at(Path::of(&[field]), format!("has {count} entries; the most are {max}"))));
    }
    if written.expect.is_empty() {
        return Err(one(Fault::at(Path::of(&["expect"]), "is empty, so the scenario could never fail; add a key")));
    }
    let stage: Stage = overlaid(defaults, node).typed().map_err(one)?;
    let names = Names { stage: &stage };
    let law = law(&stage).map_err(one)?;
    let mut faults = Vec::new();
    let observed: Vec<Observed> = good(Observations::of(&written, &names).facts(), &mut faults);
    let pushes: Vec<OwnPush> = good(pushes(&written, &names), &mut faults);
    let expectations = good(expectations(&written, &names, node), &mut faults);
    if !faults.is_empty() {
        return Err(faults);
    }
    Ok(Scenario {
        id: written.id,
        title: written.title,
        given: written.given,
        invariants: written.invariants.0,
        line: node.line,
        now: stage.now.0,
        law,
        observed,
        pushes,
        expectations,
    })
}

/// What could be read; the rest goes to the faults.
fn good<T>(read: Vec<Result<T, Fault>>, faults: &mut Vec<Fault>) -> Vec<T> {
    read.into_iter().filter_map(|result| result.map_err(|fault| faults.push(fault)).ok()).collect()
}

fn pushes(scenario: &schema::Scenario, names: &Names<'_>) -> Vec<Result<OwnPush, Fault>> {
    let push = |(place, written): (usize, &schema::Push)| {
        let path = Path::of(&["pushes"]).index(place);
        if scenario.pushes[..place].iter().any(|earlier| earlier.id == written.id) {
            return Err(Fault::at(path.key("id"), "is the id of two pushes; give each its own"));
        }
        let everywhere = ChannelNames(crate::word::AllOr::All);
        Ok(OwnPush {
            id: PushId::new(&written.id),
            system: names.system(&written.sys).map_err(|fault| fault.after(&path.key("sys")))?,
            at: written.at.0,
            scope: reach(written.purpose.as_ref(), Some(written.channel.as_ref().unwrap_or(&everywhere))),
            verb: written.verb.0,
            acknowledged: written.ack,
        })
    };
    scenario.pushes.iter().enumerate().map(push).collect()
}

fn expectations(scenario: &schema::Scenario, names: &Names<'_>, node: &Node) -> Vec<Result<Expectation, Fault>> {
    let known = purposes(scenario, names);
    let read = |(place, written): (usize, &schema::Expectation)| {
        let path = Path::of(&["expect"]).index(place);
        let line = node.line_of(&path);
        expectation(written, &known, names)
            .map(|expectation| Expectation { line, ..expectation })
            .map_err(|fault| fault.after(&path))
    };
    scenario.expect.iter().enumerate().map(read).collect()
}

fn expectation(written: &schema::Expectation, known: &BTreeSet<&str>, names: &Names<'_>) -> Result<Expectation, Fault> {
    let schema::KeyNames { address, purpose, channel, person } = &written.key;
    let country = names.stage.policy.country.0;
    let address = Address::of_kind(channel.0.address_kind(), address, Some(country.as_str()))
        .ok_or_else(|| Fault::at(Path::of(&["key", "address"]), "is blank; write the address that is asked about"))?;
    if !known.contains(purpose.as_str()) {
        let known: Vec<&str> = known.iter().copied().collect();
        let problem = format!("names no purpose: `{}`; {}", shown(purpose), instead(purpose, &known));
        return Err(Fault::at(Path::of(&["key", "purpose"]), problem));
    }
    let mut actions: BTreeMap<SystemId, BTreeSet<_>> = BTreeMap::new();
    for (system, verbs) in &written.actions {
        let id = names.system(system).map_err(|fault| fault.after(&Path::of(&["actions", system])))?;
        if !verbs.0.is_empty() {
            actions.insert(id, verbs.0.iter().map(|verb| verb.0).collect());
        }
    }
    Ok(Expectation {
        line: 0,
        key: Key {
            address,
            purpose: PurposeId::new(purpose),
            channel: channel.0,
            person: person.as_ref().map(PersonId::new),
        },
        verdict: written.decision.0,
        status: written.status.map(|status| status.0),
        reason: written.reason.map(|reason| reason.0),
        actions,
    })
}

/// The purposes that can be asked about: declared, part of a lineage, or named by an observation. Observations may name
/// what nobody declared, since sources do.
fn purposes<'a>(scenario: &'a schema::Scenario, names: &Names<'a>) -> BTreeSet<&'a str> {
    let stage = names.stage;
    let declared = stage.purposes.keys().chain(stage.policy.lineage.keys()).map(String::as_str);
    let named = scenario.observations.iter().filter_map(|written| written.scope.as_ref()?.purposes.as_ref());
    let named = named.flat_map(|names| match &names.0 {
        crate::word::AllOr::Some(names) => names.as_slice(),
        crate::word::AllOr::All => &[],
    });
    declared.chain(named.map(String::as_str)).collect()
}

fn defect(node: &Node, scenario: Option<&str>, fault: &Fault) -> Defect {
    Defect {
        line: Some(node.line_of(&fault.path)),
        scenario: scenario.map(str::to_owned),
        path: node.path_in_words(&fault.path),
        problem: fault.problem.clone(),
    }
}
