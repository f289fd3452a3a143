//! Both twins and the file, started together over one population and one clock.

use std::sync::Arc;

use crate::clock::Clock;
use crate::handle::Handle;
use crate::hubspot::{self, HubSpot};
use crate::mailchimp::{self, Mailchimp};
use crate::options::Options;
use crate::population::{CONTACTS_MAX, Population};
use crate::server::{Core, Server};

/// The twins of the vendors, served on 127.0.0.1 until dropped.
#[derive(Debug)]
pub struct Sandbox {
    population: Arc<Population>,
    clock: Arc<Clock>,
    mailchimp: Mailchimp,
    hubspot: HubSpot,
}

/// The sandbox could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port is taken or may not be used.
    #[error("listen on 127.0.0.1:{port} for the twin of {twin}; choose another port, or 0 for a free one")]
    Bind {
        /// Which twin.
        twin: &'static str,
        /// Which port.
        port: u16,
        /// What the system said.
        source: std::io::Error,
    },
    /// More people than the sandbox can hold.
    #[error("make a population of {asked}; ask for at most {CONTACTS_MAX}")]
    TooMany {
        /// How many were asked for.
        asked: u32,
    },
    /// The work of making the people was interrupted.
    #[error("make the population; the runtime is shutting down")]
    Interrupted,
}

impl Sandbox {
    /// Starts both twins. They listen when this returns.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        if options.contacts > CONTACTS_MAX {
            return Err(StartError::TooMany { asked: options.contacts });
        }
        let clock = Arc::new(Clock::new(options.epoch, options.pace));
        let population = Arc::new(Population::new(options.seed, options.contacts, options.epoch));
        let (mail_gate, crm_gate) = (mailchimp::gate(&options.mailchimp), hubspot::gate(&options.hubspot));
        let (mail_port, crm_port) = (options.mailchimp.port, options.hubspot.port);
        // A million people take seconds: they must not hold up the runtime.
        let (people, time) = (Arc::clone(&population), Arc::clone(&clock));
        let made = tokio::task::spawn_blocking(move || {
            let mail = mailchimp::State::new(options.mailchimp, Arc::clone(&people), Arc::clone(&time));
            (mail, hubspot::State::new(options.hubspot, people, time))
        });
        let (mail, crm) = made.await.map_err(|_| StartError::Interrupted)?;
        let mail_core = Arc::new(Core::new(Arc::clone(&clock), mail_gate, options.seed));
        let mail = Arc::new(Server::new(mail, mail_core));
        let crm_core = Arc::new(Core::new(Arc::clone(&clock), crm_gate, options.seed));
        let crm = Arc::new(Server::new(crm, crm_core));
        Ok(Self {
            population,
            clock,
            mailchimp: Mailchimp { handle: Handle::start(Arc::clone(&mail), mail_port).await?, server: mail },
            hubspot: HubSpot { handle: Handle::start(Arc::clone(&crm), crm_port).await?, server: crm },
        })
    }

    /// The people behind it.
    pub fn population(&self) -> &Population {
        &self.population
    }

    /// Its time.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The twin of Mailchimp.
    pub fn mailchimp(&self) -> &Mailchimp {
        &self.mailchimp
    }

    /// The twin of `HubSpot`.
    pub fn hubspot(&self) -> &HubSpot {
        &self.hubspot
    }

    /// Stops both twins and closes every connection.
    pub async fn shutdown(&self) {
        self.mailchimp.handle().shutdown().await;
        self.hubspot.handle().shutdown().await;
    }
}
