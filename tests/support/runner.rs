//! A command that is watched while it works, by what it logs, and that can be killed.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::Company;

/// How often is looked whether it has ended.
const GLANCE: Duration = Duration::from_millis(1);
/// The word before the name of a phase in the log.
const PHASE: &str = "phase=\"";

/// Where a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Settings, store, records of runs: before anything is read.
    Opening,
    /// Reading from the platforms.
    Pulling,
    /// Judging, planning, releasing.
    Judging,
    /// Writing to the platforms.
    Delivering,
    /// Nothing left to do but to say so.
    Ending,
}

impl Phase {
    /// Every phase, in order.
    pub const ALL: [Self; 5] = [Self::Opening, Self::Pulling, Self::Judging, Self::Delivering, Self::Ending];

    fn read(line: &str) -> Option<Self> {
        let (_, after) = line.split_once(PHASE)?;
        let (name, _) = after.split_once('"')?;
        match name {
            "pulling" => Some(Self::Pulling),
            "judging" => Some(Self::Judging),
            "delivering" => Some(Self::Delivering),
            "ending" => Some(Self::Ending),
            _ => None,
        }
    }
}

/// A command that works.
#[derive(Debug)]
pub struct Runner {
    child: Child,
    phases: watch::Receiver<Vec<(Phase, Instant)>>,
    reader: Option<JoinHandle<String>>,
}

/// What a command logs.
#[derive(Debug, Clone)]
pub struct Log(watch::Receiver<Vec<(Phase, Instant)>>);

impl Log {
    /// Waits until the command enters a phase for the how-manyeth time, from one on; for ever, where it never does.
    pub async fn enters(mut self, phase: Phase, time: usize) {
        let there = |phases: &Vec<(Phase, Instant)>| phases.iter().filter(|(seen, _)| *seen == phase).count() >= time;
        if self.0.wait_for(there).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// How it ended.
#[derive(Debug)]
pub struct Watched {
    /// The exit code; `None` where it was killed.
    pub code: Option<i32>,
    /// The phases it entered, each with its moment; it began in [`Phase::Opening`].
    pub phases: Vec<(Phase, Instant)>,
    /// What it said and logged, but for the phases.
    pub said: String,
}

impl Watched {
    /// The phase in which it ended.
    pub fn last(&self) -> Phase {
        self.phases.last().map_or(Phase::Opening, |(phase, _)| *phase)
    }

    /// How long it was in a phase, the first time.
    pub fn spent(&self, phase: Phase) -> Duration {
        let entered = self.phases.iter().position(|(entered, _)| *entered == phase);
        let pair = entered.and_then(|at| Some((self.phases.get(at)?.1, self.phases.get(at + 1)?.1)));
        pair.map_or(Duration::ZERO, |(from, to)| to - from)
    }
}

impl Runner {
    /// Starts a command of the program.
    ///
    /// # Panics
    /// Where the program cannot be started.
    pub fn start(company: &Company, arguments: &[&str]) -> Self {
        Self::of(company.command(arguments))
    }

    /// Starts this command, which runs the program.
    ///
    /// # Panics
    /// Where it cannot be started.
    pub fn of(mut command: Command) -> Self {
        command.env("RUST_LOG", "unisson_engine=debug").env("NO_COLOR", "1");
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        let lines = BufReader::new(child.stderr.take().expect("it has a standard error")).lines();
        let (tell, phases) = watch::channel(vec![(Phase::Opening, Instant::now())]);
        let reader = std::thread::spawn(move || {
            let mut said = String::new();
            for line in lines.map_while(Result::ok) {
                match Phase::read(&line) {
                    Some(phase) => tell.send_modify(|phases| phases.push((phase, Instant::now()))),
                    None => said.extend([&line, "\n"]),
                }
            }
            said
        });
        Self { child, phases, reader: Some(reader) }
    }

    /// What it logs, to be followed.
    pub fn log(&self) -> Log {
        Log(self.phases.clone())
    }

    /// Waits until it ends by itself.
    ///
    /// # Panics
    /// Where the system does not tell.
    pub async fn ends(&mut self) {
        while self.child.try_wait().expect("the process is ours").is_none() {
            tokio::time::sleep(GLANCE).await;
        }
    }

    /// Kills it, where it has not ended, and tells how it went.
    ///
    /// # Panics
    /// Where the system does not let it.
    pub fn kill(mut self) -> Watched {
        // An error says that it has ended, which is as good.
        let _ = self.child.kill();
        let status = self.child.wait().expect("it ends");
        let said =
            self.reader.take().map(|reader| reader.join().expect("the log is read to its end")).unwrap_or_default();
        Watched { code: status.code(), phases: self.phases.borrow().clone(), said }
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        // A test that fails leaves no process behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
