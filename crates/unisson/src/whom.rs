//! Whom somebody means: an address, a telephone number, a customer number or a record id. What is not certain is refused.

use std::collections::BTreeSet;

use unisson_consent::{Address, AddressKind, Country, CustomerNo, Law, RecordId, RecordRef, Standing, Who};
use unisson_plan::{Dossier, SubjectNo};
use unisson_store::{Store, Wanted};

use crate::exit::Failure;

/// One person, as far as the store knows.
#[derive(Debug)]
pub(crate) struct Whom {
    /// What was said of them, and nothing more.
    pub(crate) who: Who,
    /// The same, as the store finds it.
    pub(crate) wanted: Wanted,
    /// Their records; empty where nothing is known of them.
    pub(crate) records: Vec<RecordRef>,
    /// Everything that may be theirs.
    pub(crate) dossiers: Vec<Dossier>,
}

impl Whom {
    /// Every address and customer number that is known of a person.
    pub(crate) fn identifiers(&self) -> (Vec<Address>, Vec<CustomerNo>) {
        let mine: BTreeSet<&RecordRef> = self.records.iter().collect();
        let replicas = self.dossiers.iter().flat_map(|dossier| &dossier.replicas);
        let shown = replicas.filter(|replica| mine.contains(&replica.record)).map(|replica| &replica.who);
        let (mut addresses, mut customers) = (self.who.addresses.clone(), BTreeSet::new());
        for who in shown.chain([&self.who]) {
            for address in &who.addresses {
                if !addresses.iter().any(|held| held == address && held.raw() == address.raw()) {
                    addresses.push(address.clone());
                }
            }
            customers.extend(who.customer.iter().cloned());
        }
        (addresses, customers.into_iter().collect())
    }
}

/// Reads what was typed as an e-mail address, a telephone number or a postal address, by its look.
pub(crate) fn read_address(who: &str, home: Country) -> Result<Address, Failure> {
    let address = if who.contains('@') {
        Address::email(who)
    } else if is_dialled(who) {
        Address::phone(who, Some(home.as_str()))
    } else {
        Address::postal(who)
    };
    address.ok_or_else(|| Failure::new("no address was given").next("name an e-mail address or a telephone number"))
}

/// The person whom somebody means. Nobody is guessed at: where it may be several people, none of them is taken.
pub(crate) async fn resolve(store: &dyn Store, law: &Law, text: &str) -> Result<Whom, Failure> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Failure::new("nobody was named").next("name an address, a telephone number or a customer number"));
    }
    if text.contains('@') {
        let address = read_address(text, law.policy.country)?;
        return by_address(store, law, address).await;
    }
    let customer = CustomerNo::new(text);
    let by_customer = store.find(&Wanted::Customer(customer.clone())).await?;
    let by_record = store.find(&Wanted::Record(RecordId::new(text))).await?;
    let phone = if is_dialled(text) { Address::phone(text, Some(law.policy.country.as_str())) } else { None };
    let phone = phone.filter(|phone| phone.defect().is_none());
    let by_phone = match &phone {
        Some(phone) => store.find(&Wanted::Address(phone.clone())).await?,
        None => Vec::new(),
    };
    let mut subjects: Vec<SubjectNo> = by_customer.iter().chain(&by_record).chain(&by_phone).copied().collect();
    subjects.sort_unstable();
    subjects.dedup();
    if subjects.len() > 1 {
        let meanings =
            [("a customer number", &by_customer), ("a record id", &by_record), ("a telephone number", &by_phone)];
        let said: Vec<String> = meanings
            .iter()
            .filter(|(_, found)| !found.is_empty())
            .map(|(meaning, found)| format!("{meaning} of {}", people(found.len())))
            .collect();
        return Err(Failure::new(format!("that may mean several people: it is {}", said.join(", and ")))
            .next("name an e-mail address of the person you mean"));
    }
    match (by_customer.is_empty(), by_record.is_empty(), phone) {
        (false, ..) => {
            let who = Who { customer: Some(customer.clone()), ..Who::default() };
            found(store, who, Wanted::Customer(customer), subjects).await
        }
        (true, false, _) => by_record_id(store, law, RecordId::new(text), subjects).await,
        (true, true, Some(phone)) => by_address(store, law, phone).await,
        (true, true, None) => Err(Failure::new("nobody is known by that").next(
            "name an e-mail address or a telephone number: whoever no system shows can still be searched for by it",
        )),
    }
}

async fn by_address(store: &dyn Store, law: &Law, address: Address) -> Result<Whom, Failure> {
    let wanted = Wanted::Address(address.clone());
    let subjects = store.find(&wanted).await?;
    let dossiers = store.dossiers(&subjects).await?;
    let mut candidates: Vec<Vec<RecordRef>> = Vec::new();
    for dossier in &dossiers {
        candidates.extend(Standing::fold(dossier.facts.iter().cloned(), &[], law).holders(&address, law));
    }
    if candidates.len() > 1 {
        return Err(ambiguous(&candidates));
    }
    let who = Who { addresses: vec![address], ..Who::default() };
    Ok(Whom { who, wanted, records: candidates.pop().unwrap_or_default(), dossiers })
}

/// A record id names its person by the customer number or the address that the record shows.
async fn by_record_id(
    store: &dyn Store,
    law: &Law,
    record: RecordId,
    subjects: Vec<SubjectNo>,
) -> Result<Whom, Failure> {
    let dossiers = store.dossiers(&subjects).await?;
    let replicas = dossiers.iter().flat_map(|dossier| &dossier.replicas);
    let mut shown: Vec<&Who> =
        replicas.filter(|replica| replica.record.record == record).map(|replica| &replica.who).collect();
    shown.dedup();
    let [who] = shown.as_slice() else {
        let records: Vec<Vec<RecordRef>> = dossiers
            .iter()
            .flat_map(|dossier| &dossier.replicas)
            .filter(|replica| replica.record.record == record)
            .map(|replica| vec![replica.record.clone()])
            .collect();
        return Err(ambiguous(&records));
    };
    if let Some(customer) = &who.customer {
        let who = Who { customer: Some(customer.clone()), ..Who::default() };
        return found(store, who, Wanted::Customer(customer.clone()), subjects).await;
    }
    let by_kind = |kind| who.addresses.iter().find(|address| address.kind() == kind).cloned();
    let address =
        by_kind(AddressKind::Email).or_else(|| by_kind(AddressKind::Phone)).or_else(|| who.addresses.first().cloned());
    match address {
        Some(address) => by_address(store, law, address).await,
        None => Err(Failure::new("that record shows no address").next("name an address of the person")),
    }
}

async fn found(store: &dyn Store, who: Who, wanted: Wanted, subjects: Vec<SubjectNo>) -> Result<Whom, Failure> {
    let dossiers = store.dossiers(&subjects).await?;
    let records = dossiers.iter().flat_map(|dossier| &dossier.replicas).map(|replica| replica.record.clone()).collect();
    Ok(Whom { who, wanted, records, dossiers })
}

/// Names candidates by what nobody is known by: their systems.
fn ambiguous(candidates: &[Vec<RecordRef>]) -> Failure {
    let listed: Vec<String> = (1..)
        .zip(candidates)
        .map(|(number, records)| {
            let mut systems: Vec<&str> = records.iter().map(|record| record.system.as_str()).collect();
            systems.sort_unstable();
            systems.dedup();
            format!("\n  {number}. {} in {}", records_of(records.len()), systems.join(", "))
        })
        .collect();
    Failure::new(format!("{} share that:{}", people(candidates.len()), listed.concat()))
        .next("name the customer number or the record id of the one you mean")
}

fn people(count: usize) -> String {
    if count == 1 { "one person".to_owned() } else { format!("{count} people") }
}

fn records_of(count: usize) -> String {
    if count == 1 { "one record".to_owned() } else { format!("{count} records") }
}

fn is_dialled(who: &str) -> bool {
    who.chars().all(|c| c.is_ascii_digit() || matches!(c, '+' | ' ' | '-' | '.' | '(' | ')' | '/'))
}
