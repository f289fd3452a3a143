//! A corrected address, carried to every system that holds the old one (art. 16, 19).

use futures::future::join_all;
use unisson_connector::{Cx, ErrorKind, Outcome, Presence, Target};
use unisson_consent::{Actor, Address, Fact, FactId, Kind, Occurred, SystemId, Via, Who};
use unisson_plan::{Commit, Replica};
use unisson_store::{StoreError, Wanted};

use super::receive::{HOST, everything};
use crate::host::{Engine, Order, Run};
use crate::report::RunReport;

/// What became of a correction in one system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rectified {
    /// Which system.
    pub system: SystemId,
    /// How many of its records showed the old address.
    pub records: u64,
    /// How many of them show the new one, now or before.
    pub corrected: u64,
    /// Why the others do not, in words.
    pub why: Vec<String>,
}

impl Engine {
    /// Corrects an address. Refusals follow it always, consents only where the person confirmed the new one from there.
    pub async fn rectify(
        &self,
        from: &Address,
        to: &Address,
        verified: bool,
    ) -> Result<(Vec<Rectified>, RunReport), StoreError> {
        let order = Order::default();
        let (run, mut report) = self.begin(&order).await?;
        let outcome = async {
            run.tell_change(from, to, verified).await?;
            let rectified = run.rectify(from, to).await?;
            run.follow(&mut report).await?;
            Ok::<_, StoreError>(rectified)
        };
        let outcome = outcome.await;
        let (report, rectified) = self.end(&run.watch, report, outcome).await?;
        Ok((rectified, report))
    }
}

impl Run<'_> {
    async fn tell_change(&self, from: &Address, to: &Address, verified: bool) -> Result<(), StoreError> {
        let now = self.heard_at();
        let (from, to) = (from.clone(), to.clone());
        let fact = Fact {
            id: FactId::of(&[HOST, "told", &uuid::Uuid::now_v7().to_string()]),
            system: SystemId::new(HOST),
            record: None,
            who: Who { addresses: vec![from.clone(), to.clone()], ..Who::default() },
            observed_at: now,
            occurred: Occurred::Instant(now),
            seq: None,
            actor: if verified { Actor::DataSubject } else { Actor::Operator },
            via: Via::Message,
            scope: everything(),
            kind: Kind::AddressChange { from, to, verified },
            echo_of: None,
        };
        let mut commit = Commit::new(self.id.clone(), now);
        commit.told.push(fact);
        self.engine.store.commit(commit).await.map(|_| ())
    }

    async fn rectify(&self, from: &Address, to: &Address) -> Result<Vec<Rectified>, StoreError> {
        let subjects = self.engine.store.find(&Wanted::Address(from.clone())).await?;
        let dossiers = self.engine.store.dossiers(&subjects).await?;
        let shows = |replica: &&Replica| {
            replica.presence == Presence::Present && replica.who.addresses.iter().any(|held| held.grant_eq(from))
        };
        let replicas: Vec<Replica> =
            dossiers.into_iter().flat_map(|dossier| dossier.replicas).filter(|replica| shows(&replica)).collect();
        let mut rectified: Vec<Rectified> = Vec::new();
        let answers = join_all(replicas.iter().map(|replica| self.rectify_record(replica, from, to))).await;
        for (replica, answer) in replicas.iter().zip(answers) {
            let system = &replica.record.system;
            let place = rectified.iter().position(|known| known.system == *system).unwrap_or_else(|| {
                rectified.push(Rectified { system: system.clone(), records: 0, corrected: 0, why: Vec::new() });
                rectified.len() - 1
            });
            let part = &mut rectified[place];
            part.records += 1;
            match answer {
                Ok(()) => part.corrected += 1,
                Err(why) if part.why.contains(&why) => {}
                Err(why) => part.why.push(why),
            }
        }
        rectified.sort_by(|a, b| a.system.cmp(&b.system));
        Ok(rectified)
    }

    async fn rectify_record(&self, replica: &Replica, from: &Address, to: &Address) -> Result<(), String> {
        let instance = self.instance(&replica.record.system).filter(|instance| instance.enabled);
        let instance = instance.ok_or("the instance is disabled or no longer configured")?;
        let rectify = instance.connector.rectify().ok_or("its connector cannot: correct it there by hand")?;
        let target = Target { record: replica.record.record.clone(), addresses: replica.who.addresses.clone() };
        match rectify.rectify(&Cx { run: &self.id.0 }, &target, from, to).await {
            Ok(Outcome::Applied | Outcome::AlreadySo) => Ok(()),
            Ok(Outcome::NotFound) => Err("the platform holds no such record any more".to_owned()),
            Ok(Outcome::Refused(code)) => Err(format!("refused: {code}")),
            Ok(Outcome::Later(_) | Outcome::InFlight(_) | Outcome::Unknown) => {
                Err("not certain yet: run the same command again".to_owned())
            }
            Err(error) if matches!(error.kind(), ErrorKind::Scope | ErrorKind::Config) => Err(error.to_string()),
            Err(error) => Err(format!("{error}: run the same command again")),
        }
    }
}
