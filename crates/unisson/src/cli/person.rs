//! What is typed about one person: erasing, objecting, restricting, correcting, telling.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use jiff::Timestamp;

use super::moment;

/// `erase`
#[derive(Debug, Args)]
pub(crate) struct Erase {
    /// Whom: e-mail addresses, telephone numbers, customer numbers or record ids
    #[arg(required_unless_present = "file")]
    pub(crate) who: Vec<String>,
    /// A file with one person a line, as written above
    #[arg(long, short, value_name = "FILE", conflicts_with = "who")]
    pub(crate) file: Option<PathBuf>,
    /// How you made certain who asks, in words that name nobody: "link sent to the address". Without it the request counts
    /// as an objection until `unisson erasures accept`
    #[arg(long, value_name = "HOW")]
    pub(crate) verified_by: Option<String>,
    /// A legal hold of the policy that applies to these people, beside those that apply to everybody
    #[arg(long = "hold", value_name = "NAME")]
    pub(crate) holds: Vec<String>,
    /// When the request was received, if not now: the month to answer runs from there
    #[arg(long, value_name = "DATE", value_parser = moment)]
    pub(crate) received: Option<Timestamp>,
    /// Only show what is known to be there, and erase nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// `erasures …`
#[derive(Debug, Subcommand)]
pub(crate) enum Erasures {
    /// List the cases that are not answered yet
    List(ListErasures),
    /// Show one case, system by system
    Show {
        /// The case; its beginning is enough
        case: String,
    },
    /// Go on with every case that is due
    Run,
    /// Say how it was made certain who asked
    Accept {
        /// The case; its beginning is enough
        case: String,
        /// How, in words that name nobody
        #[arg(long, value_name = "HOW")]
        verified_by: String,
    },
    /// Refuse a request, for a reason that you tell the person (art. 12(4))
    Reject {
        /// The case; its beginning is enough
        case: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// The person took the request back, before anything was erased
    Withdraw {
        /// The case; its beginning is enough
        case: String,
    },
    /// Take two months more, for a reason that you tell the person within the first (art. 12(3))
    Extend {
        /// The case; its beginning is enough
        case: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Say that a system was done by hand, or cannot be done
    Done(DoneErasure),
    /// Write the signed certificate of a case that has ended
    Certificate(Certificate),
    /// Check a certificate: its signature and, with the person's copy, whose it is
    Verify(VerifyCertificate),
}

/// `erasures list`
#[derive(Debug, Args)]
pub(crate) struct ListErasures {
    /// Only those that have been open for 10, 20 or 25 days, or wait for somebody; exits with 2 where there are any
    #[arg(long)]
    pub(crate) due: bool,
    /// Those that have ended, too
    #[arg(long, conflicts_with = "due")]
    pub(crate) all: bool,
}

/// `erasures done`
#[derive(Debug, Args)]
pub(crate) struct DoneErasure {
    /// The case; its beginning is enough
    pub(crate) case: String,
    /// The system
    pub(crate) system: String,
    /// A file that shows it, such as a screenshot or the answer of a processor: its digest goes into the certificate
    #[arg(long, value_name = "FILE", required_unless_present = "impossible", conflicts_with = "impossible")]
    pub(crate) evidence: Option<PathBuf>,
    /// Why it cannot be done, as the person is told
    #[arg(long, value_name = "REASON")]
    pub(crate) impossible: Option<String>,
}

/// `erasures certificate`
#[derive(Debug, Args)]
pub(crate) struct Certificate {
    /// The case; its beginning is enough
    pub(crate) case: String,
    /// The file to write, which must not exist yet; without it, the certificate is shown
    #[arg(long, short, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// The person's copy: with it, and nothing else, the person can prove whose certificate it is. It is written once
    #[arg(long, requires = "out")]
    pub(crate) for_person: bool,
}

/// `erasures verify`
#[derive(Debug, Args)]
pub(crate) struct VerifyCertificate {
    /// The certificate
    pub(crate) file: PathBuf,
    /// The public key that it must be signed with, in base64; without it, the one of these settings
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Option<String>,
    /// An address that the person's copy must be about
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) address: Option<String>,
}

/// `restrict`
#[derive(Debug, Args)]
pub(crate) struct Restrict {
    /// Whom: an e-mail address, a telephone number, a customer number or a record id
    pub(crate) who: String,
    /// End the restriction; the person was told before (art. 18(3))
    #[arg(long)]
    pub(crate) lift: bool,
}

/// `object`
#[derive(Debug, Args)]
pub(crate) struct Object {
    /// Whom: an e-mail address, a telephone number, a customer number or a record id
    pub(crate) who: String,
}

/// `rectify`
#[derive(Debug, Args)]
pub(crate) struct Rectify {
    /// The address or telephone number that is wrong
    pub(crate) from: String,
    /// The right one
    pub(crate) to: String,
    /// The person confirmed the new one from there: consents follow. Without it only refusals do
    #[arg(long)]
    pub(crate) verified: bool,
}

/// `access`
#[derive(Debug, Args)]
pub(crate) struct AccessOf {
    /// Whom: an e-mail address, a telephone number, a customer number or a record id
    pub(crate) who: String,
    /// The folder to write to, which must not exist yet or be empty
    #[arg(long, short, value_name = "DIR")]
    pub(crate) out: PathBuf,
}

/// `holds …`
#[derive(Debug, Subcommand)]
pub(crate) enum Holds {
    /// List what the policy holds, and what is held now
    List,
    /// End the hold on one system's records of a case before its time: they are erased
    Release {
        /// The case; its beginning is enough
        case: String,
        /// The system
        system: String,
    },
}
