//! From observations, as they are written, to facts of the law.

use std::collections::BTreeMap;

use base64::Engine as _;
use unisson_consent::{
    Activity, Address, AddressKind, Algorithm, Bounce, Country, CustomerNo, Evidence, Fact, FactId, HashedAddress,
    Kind, ListId, Normalisation, NoticeId, Occurred, PersonId, PurposeId, Purposes, PushId, RecordId, RecordRef,
    Relation, Scope, Who,
};

use crate::error::{Fault, Path};
use crate::field;
use crate::law::{Names, channels};
use crate::nearest::{instead, shown};
use crate::scenario::Observed;
use crate::schema::{self, Event, Observation, Predicates, Proof};
use crate::word::{AllOr, ChannelNames, Digest, Many, PurposeNames, Ticked, Word};

/// The observations of one scenario while they are read.
pub(crate) struct Observations<'a> {
    scenario: &'a schema::Scenario,
    names: &'a Names<'a>,
    ids: BTreeMap<&'a str, FactId>,
}

impl<'a> Observations<'a> {
    pub(crate) fn of(scenario: &'a schema::Scenario, names: &'a Names<'a>) -> Self {
        let identity = |written: &'a Observation| (written.id.as_str(), identity(&scenario.id, written));
        Self { scenario, names, ids: scenario.observations.iter().map(identity).collect() }
    }

    /// Every observation as a fact. Faults are seen from the scenario.
    pub(crate) fn facts(&self) -> Vec<Result<Observed, Fault>> {
        let read = |(place, written): (usize, &Observation)| {
            let path = Path::of(&["observations"]).index(place);
            let twin = self.scenario.observations[..place].iter().any(|earlier| earlier.id == written.id);
            if twin {
                let problem = "is the id of two observations; give each its own (one native event is `eid`)";
                return Err(Fault::at(path.key("id"), problem));
            }
            self.fact(written)
                .map(|fact| Observed { name: written.id.clone(), fact })
                .map_err(|fault| fault.after(&path))
        };
        self.scenario.observations.iter().enumerate().map(read).collect()
    }

    fn fact(&self, written: &Observation) -> Result<Fact, Fault> {
        field::check(written)?;
        let system = self.names.system(&written.sys).map_err(|fault| fault.after(&Path::of(&["sys"])))?;
        let echo_of = written.echo_of.as_ref().map(|push| self.push(push)).transpose()?;
        Ok(Fact {
            id: identity(&self.scenario.id, written),
            system,
            record: written.rec.as_ref().map(RecordId::new),
            who: who(&written.who, self.names.stage.policy.country.0)?,
            observed_at: written.obs.0,
            occurred: written.at.as_ref().map_or(Occurred::Unknown, |happened| happened.0),
            seq: written.seq,
            actor: written.actor.map(|actor| actor.0).unwrap_or_default(),
            via: written.via.map(|via| via.0).unwrap_or_default(),
            scope: written.scope.as_ref().map_or_else(|| Ok(Scope::default()), scope)?,
            kind: self.kind(written)?,
            echo_of,
        })
    }

    fn kind(&self, written: &Observation) -> Result<Kind, Fault> {
        let verified = written.verified.unwrap_or(false);
        Ok(match written.ev.0 {
            Event::Grant => Kind::Grant {
                evidence: self.evidence(written)?,
                valid_until: written.valid_until.as_ref().map(|moment| moment.0),
            },
            Event::Request => Kind::Request,
            Event::Refuse => Kind::Refuse,
            Event::Withdraw => Kind::Withdraw,
            Event::Object => Kind::Object,
            Event::Complaint => Kind::Complaint,
            Event::EraseRequest => Kind::EraseRequest { verified },
            Event::Snapshot => Kind::Snapshot {
                status: field::needed("status", written.status.map(|status| status.0))?,
                evidence: self.evidence(written)?,
                turn: None,
            },
            Event::Attribute => Kind::Attribute,
            Event::Bounce => Kind::Bounce(bounce(written)),
            Event::Delivered => Kind::Delivered,
            Event::ControlProof => Kind::ControlProof,
            Event::Relationship => Kind::Relationship {
                what: what::<Relation>(written)?,
                opt_out_offered: written.opt_out_offered.unwrap_or(false),
                similar: written.similar.unwrap_or(false),
            },
            Event::Activity => Kind::Activity(what::<Activity>(written)?),
            Event::Invite => Kind::Invite,
            Event::Invalidate => self.invalidation(written)?,
            Event::Annul => Kind::Annul {
                targets: self.targets(field::needed("targets", written.targets.as_ref())?)?,
                approvers: field::needed("approvers", written.approvers.as_ref())?.0.clone(),
            },
            Event::Restrict => Kind::Restrict,
            Event::Unrestrict => Kind::Unrestrict,
            Event::OperatorBlock => Kind::OperatorBlock,
            Event::OperatorUnblock => Kind::OperatorUnblock,
            Event::Link => Kind::Link { records: self.records(written)? },
            Event::Split => Kind::Split { groups: self.groups(written)? },
            Event::AddressChange => Kind::AddressChange {
                from: self.address("from", written, written.from.as_deref())?,
                to: self.address("to", written, written.to.as_deref())?,
                verified,
            },
            Event::Hold => Kind::Hold {
                basis: field::needed("basis", written.basis)?.0,
                until: field::needed("until", written.until.as_ref())?.0,
            },
        })
    }

    fn evidence(&self, written: &Observation) -> Result<Evidence, Fault> {
        let presets = &self.names.stage.evidence_presets;
        match &written.evidence {
            None => Ok(Evidence::default()),
            Some(Proof::Written(predicates)) => Ok(evidence(predicates)),
            Some(Proof::Preset(name)) => presets.get(name).map(evidence).ok_or_else(|| {
                let known: Vec<&str> = presets.keys().map(String::as_str).collect();
                let problem = format!("names no preset: `{}`; {}", shown(name), instead(name, &known));
                Fault::at(Path::of(&["evidence"]), problem)
            }),
        }
    }

    fn invalidation(&self, written: &Observation) -> Result<Kind, Fault> {
        let notices = written.notice.as_ref().map(|names| names.0.iter().map(NoticeId::new).collect());
        let targets = written.targets.as_ref().map(|targets| self.targets(targets)).transpose()?;
        if notices.is_none() && targets.is_none() {
            return Err(Fault::new("voids nothing; add `notice` or `targets`"));
        }
        Ok(Kind::Invalidate { notices: notices.unwrap_or_default(), targets: targets.unwrap_or_default() })
    }

    /// The facts that observations of the same scenario tell.
    fn targets(&self, written: &Many<String>) -> Result<Vec<FactId>, Fault> {
        let read = |(place, name): (usize, &String)| {
            self.ids.get(name.as_str()).copied().ok_or_else(|| {
                let known: Vec<&str> = self.ids.keys().copied().collect();
                let problem = format!("names no observation: `{}`; {}", shown(name), instead(name, &known));
                Fault::at(Path::of(&["targets"]).index(place), problem)
            })
        };
        written.0.iter().enumerate().map(read).collect()
    }

    fn push(&self, name: &str) -> Result<PushId, Fault> {
        let known: Vec<&str> = self.scenario.pushes.iter().map(|push| push.id.as_str()).collect();
        if known.contains(&name) {
            return Ok(PushId::new(name));
        }
        let problem = format!("names no push of the scenario: `{}`; {}", shown(name), instead(name, &known));
        Err(Fault::at(Path::of(&["echo_of"]), problem))
    }

    fn records(&self, written: &Observation) -> Result<Vec<RecordRef>, Fault> {
        let records = field::needed("records", written.records.as_ref())?;
        if records.len() < 2 {
            return Err(Fault::at(Path::of(&["records"]), "needs two records or more, such as [[crm, c1], [crm, c2]]"));
        }
        self.record_refs(records, &Path::of(&["records"]))
    }

    fn groups(&self, written: &Observation) -> Result<Vec<Vec<RecordRef>>, Fault> {
        let groups = field::needed("groups", written.groups.as_ref())?;
        if groups.len() < 2 {
            return Err(Fault::at(
                Path::of(&["groups"]),
                "needs two groups or more, such as [[[crm, c1]], [[crm, c2]]]",
            ));
        }
        let read = |(place, group): (usize, &Vec<schema::RecordName>)| {
            self.record_refs(group, &Path::of(&["groups"]).index(place))
        };
        groups.iter().enumerate().map(read).collect()
    }

    fn record_refs(&self, written: &[schema::RecordName], path: &Path) -> Result<Vec<RecordRef>, Fault> {
        let read = |(place, name): (usize, &schema::RecordName)| {
            let system = self.names.system(&name.system);
            let system = system.map_err(|fault| fault.after(&path.clone().index(place).index(0)))?;
            Ok(RecordRef { system, record: RecordId::new(&name.record) })
        };
        written.iter().enumerate().map(read).collect()
    }

    /// An address whose kind shows in its form.
    fn address(&self, field: &'static str, written: &Observation, text: Option<&str>) -> Result<Address, Fault> {
        let text = field::needed(field, text)?;
        let digits = |c: char| c.is_ascii_digit() || matches!(c, '+' | ' ' | '.' | '-' | '(' | ')' | '/');
        let kind = match text {
            text if text.contains('@') => AddressKind::Email,
            text if text.chars().all(digits) => AddressKind::Phone,
            _ => AddressKind::Postal,
        };
        let country = written.who.country.as_ref().map_or(self.names.stage.policy.country.0, |land| land.0);
        let blank = || Fault::at(Path::of(&[field]), "is blank; write the address");
        Address::of_kind(kind, text, Some(country.as_str())).ok_or_else(blank)
    }
}

/// What an act covers; the part that is left out is that of a negative without a scope.
pub(crate) fn reach(purposes: Option<&PurposeNames>, wide: Option<&ChannelNames>) -> Scope {
    let default = Scope::default();
    let purposes = match purposes.map(|names| &names.0) {
        Some(AllOr::Some(names)) => Purposes::Named(names.iter().map(PurposeId::new).collect()),
        Some(AllOr::All) => Purposes::AllMarketing,
        None => default.purposes,
    };
    Scope { purposes, channels: wide.map_or(default.channels, |names| channels(Some(names))) }
}

fn scope(written: &schema::Scope) -> Result<Scope, Fault> {
    let mut scope = reach(written.purposes.as_ref(), written.channels.as_ref());
    if let Some(list) = &written.list {
        if written.purposes.is_some() {
            let problem =
                "names purposes and a list; a list stands for the purpose it is mapped to, so drop one of them";
            return Err(Fault::at(Path::of(&["scope"]), problem));
        }
        scope.purposes = Purposes::List(ListId::new(list));
    }
    Ok(scope)
}

/// The same native event of one system is one fact, whoever tells it and however often.
fn identity(scenario: &str, written: &Observation) -> FactId {
    match &written.eid {
        Some(event) => FactId::of(&["event", &written.sys, event]),
        None => FactId::of(&["observation", scenario, &written.id]),
    }
}

/// A code says what a bounce means; without one the vendor's category does, and without either it is soft.
fn bounce(written: &Observation) -> Bounce {
    let category = || written.category.map_or(Bounce::Soft, |category| category.0);
    written.code.as_deref().map_or_else(category, Bounce::from_code)
}

fn what<T: Word>(written: &Observation) -> Result<T, Fault> {
    let text = field::needed("what", written.what.as_deref())?;
    T::read(text).map_err(|problem| Fault::at(Path::of(&["what"]), problem))
}

fn evidence(written: &Predicates) -> Evidence {
    Evidence {
        capture: written.capture,
        notice: written.notice.as_ref().map(NoticeId::new),
        controller_named: written.controller_named,
        purpose_specific: written.purpose_specific,
        affirmative: written.affirmative,
        pre_ticked: match written.pre_ticked.map(|ticked| ticked.0) {
            Some(Ticked::Yes) => Some(true),
            Some(Ticked::No) => Some(false),
            Some(Ticked::Unknown) | None => None,
        },
        bundled: written.bundled,
        inferred: written.inferred,
        doi: written.doi,
        authenticated: written.authenticated,
        signed: written.signed,
        document: written.document,
    }
}

fn who(written: &schema::Who, home: Country) -> Result<Who, Fault> {
    let country = written.country.as_ref().map(|land| land.0);
    let region = country.unwrap_or(home);
    let mut addresses = Vec::new();
    let kinds = [
        ("email", AddressKind::Email, &written.email),
        ("phone", AddressKind::Phone, &written.phone),
        ("postal", AddressKind::Postal, &written.postal),
    ];
    for (field, kind, texts) in kinds {
        for text in &texts.0 {
            let blank = || Fault::at(Path::of(&["who", field]), "is blank; write the address or leave the key out");
            addresses.push(Address::of_kind(kind, text, Some(region.as_str())).ok_or_else(blank)?);
        }
    }
    let mut hashes = Vec::new();
    let digests = [
        ("email_hash", AddressKind::Email, &written.email_hash),
        ("phone_hash", AddressKind::Phone, &written.phone_hash),
    ];
    for (field, kind, hash) in digests {
        if let Some(hash) = hash {
            hashes.push(hashed(hash, kind).map_err(|fault| fault.after(&Path::of(&["who", field])))?);
        }
    }
    Ok(Who {
        addresses,
        hashes,
        customer: written.customer.as_ref().map(CustomerNo::new),
        person: written.person.as_ref().map(PersonId::new),
        country,
        audience: written.audience.map(|audience| audience.0),
        professional: written.professional,
        birth: written.birth.as_ref().map(|day| day.0),
    })
}

/// A digest in hexadecimal or in base64: their lengths never meet.
fn hashed(written: &schema::Hash, kind: AddressKind) -> Result<HashedAddress, Fault> {
    let how = written.normalise.map_or(Normalisation::TrimLower, |word| word.0);
    let (algorithm, bytes) = match written.alg.0 {
        Digest::Md5 => (Algorithm::Md5(how), 16),
        Digest::Sha1 => (Algorithm::Sha1(how), 20),
        Digest::Sha256 => (Algorithm::Sha256(how), 32),
    };
    let text = written.value.trim();
    let digest = hex(text).or_else(|| base64::engine::general_purpose::STANDARD.decode(text).ok());
    let refused = || {
        let digits = 2 * bytes;
        let wanted = format!("write {digits} hexadecimal digits, or the bytes in base64");
        Fault::at(Path::of(&["value"]), format!("is no digest of {bytes} bytes; {wanted}"))
    };
    let digest = digest.filter(|digest| digest.len() == bytes).ok_or_else(refused)?;
    Ok(HashedAddress { kind, algorithm, digest })
}

fn hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}
