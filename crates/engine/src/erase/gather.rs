//! Everything that every system holds about one person, live (art. 15, 20).

use futures::future::join_all;
use unisson_connector::{Cx, Gathered, Seek};
use unisson_consent::{Address, CustomerNo, RecordRef, SystemId};

use crate::host::{Engine, Instance};

/// What one system holds.
#[derive(Debug)]
pub struct Gathering {
    /// Which system.
    pub system: SystemId,
    /// The platform's own name.
    pub title: &'static str,
    /// What it said.
    pub place: Place,
}

/// How a look at a system went.
#[derive(Debug)]
pub enum Place {
    /// It answered.
    Gathered(Gathered),
    /// It could not be looked at, for this reason in words.
    NotCovered(String),
}

impl Engine {
    /// Looks in every system for whoever these addresses, customer numbers and records belong to. Writes nothing.
    pub async fn gather(
        &self,
        addresses: &[Address],
        customers: &[CustomerNo],
        records: &[RecordRef],
    ) -> Vec<Gathering> {
        let run = uuid::Uuid::now_v7().to_string();
        let looks = self.instances.iter().map(|instance| {
            let of_system = records.iter().filter(|record| record.system == instance.id);
            let seek = Seek {
                addresses: addresses.to_vec(),
                customers: customers.to_vec(),
                records: of_system.map(|record| record.record.clone()).collect(),
            };
            look(instance, seek, &run)
        });
        join_all(looks).await
    }
}

async fn look(instance: &Instance, seek: Seek, run: &str) -> Gathering {
    let place = match instance.connector.access().filter(|_| instance.enabled) {
        None if !instance.enabled => Place::NotCovered("the instance is disabled".to_owned()),
        None => Place::NotCovered("its connector cannot search for one person".to_owned()),
        Some(access) => match access.gather(&Cx { run }, &seek).await {
            Ok(gathered) => Place::Gathered(gathered),
            Err(error) => Place::NotCovered(format!("it did not answer: {error}")),
        },
    };
    Gathering { system: instance.id.clone(), title: instance.connector.info().title, place }
}
