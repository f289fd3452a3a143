//! All twins and the file, started together over one population and one clock.

use std::sync::Arc;

use crate::brevo::{self, Brevo};
use crate::clock::{Clock, Watch};
use crate::core::Core;
use crate::gate::Gate;
use crate::handle::Handle;
use crate::hubspot::{self, HubSpot};
use crate::mailchimp::{self, Mailchimp};
use crate::options::Options;
use crate::population::{CONTACTS_MAX, Population};
use crate::server::Server;
use crate::twin::Twin;

/// The twins of the vendors, served on 127.0.0.1 until dropped.
#[derive(Debug)]
pub struct Sandbox {
    population: Arc<Population>,
    clock: Arc<Clock>,
    mailchimp: Mailchimp,
    hubspot: HubSpot,
    brevo: Brevo,
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
    /// Starts all twins. They listen when this returns.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        if options.contacts > CONTACTS_MAX {
            return Err(StartError::TooMany { asked: options.contacts });
        }
        let clock = Arc::new(Clock::new(options.epoch, options.pace));
        let population = Arc::new(Population::new(options.seed, options.contacts, options.epoch));
        let gates = (mailchimp::gate(&options.mailchimp), hubspot::gate(&options.hubspot), brevo::gate(&options.brevo));
        let ports = (options.mailchimp.port, options.hubspot.port, options.brevo.port);
        // A million people take seconds: they must not hold up the runtime.
        let (people, watch) = (Arc::clone(&population), Watch::new(Arc::clone(&clock)));
        let made = tokio::task::spawn_blocking(move || {
            (
                mailchimp::State::new(options.mailchimp, Arc::clone(&people), watch.clone()),
                hubspot::State::new(options.hubspot, Arc::clone(&people), watch.clone()),
                brevo::State::new(options.brevo, people, watch),
            )
        });
        let (mail, crm, campaigns) = made.await.map_err(|_| StartError::Interrupted)?;
        let mail = served(mail, (&clock, gates.0, options.seed));
        let crm = served(crm, (&clock, gates.1, options.seed));
        let campaigns = served(campaigns, (&clock, gates.2, options.seed));
        Ok(Self {
            population,
            clock,
            mailchimp: Mailchimp { handle: Handle::start(Arc::clone(&mail), ports.0).await?, server: mail },
            hubspot: HubSpot { handle: Handle::start(Arc::clone(&crm), ports.1).await?, server: crm },
            brevo: Brevo { handle: Handle::start(Arc::clone(&campaigns), ports.2).await?, server: campaigns },
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

    /// The twin of Brevo.
    pub fn brevo(&self) -> &Brevo {
        &self.brevo
    }

    /// Stops all twins and closes every connection.
    pub async fn shutdown(&self) {
        self.mailchimp.handle().shutdown().await;
        self.hubspot.handle().shutdown().await;
        self.brevo.handle().shutdown().await;
    }
}

/// A twin in its shell.
fn served<T: Twin>(twin: T, (clock, gate, seed): (&Arc<Clock>, Gate, u64)) -> Arc<Server<T>> {
    let core = Core::new(Arc::clone(clock), gate, (seed, T::RENEWS));
    Arc::new(Server::new(twin, Arc::new(core)))
}
