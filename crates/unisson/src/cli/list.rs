//! What can be typed of lists: shapes of addresses, and where a list of refusals comes from.

use std::path::PathBuf;

use clap::{ArgGroup, Args, ValueEnum};

/// How addresses are written in a list.
#[derive(Debug, Clone, Copy, ValueEnum, PartialEq, Eq)]
pub(crate) enum Shape {
    /// As they are
    Plain,
    /// SHA-256 of the trimmed, lower-case address, in hexadecimal
    Sha256,
    /// SHA-256 of the trimmed, lower-case address, in base64 of the raw digest
    Sha256Base64,
    /// SHA-1 of the trimmed, lower-case address, in hexadecimal
    Sha1,
    /// SHA-1 of the trimmed, lower-case address, in base64 of the raw digest
    Sha1Base64,
    /// MD5 of the trimmed, lower-case address, in hexadecimal
    Md5,
    /// MD5 of the trimmed, lower-case address, in base64 of the raw digest
    Md5Base64,
}

/// Why people are on a list.
#[derive(Debug, Clone, Copy, ValueEnum, PartialEq, Eq)]
pub(crate) enum Act {
    /// They withdrew a consent
    Withdrawn,
    /// They objected (art. 21)
    Objected,
    /// They said no when asked
    Refused,
    /// They reported spam
    Complaint,
    /// Staff blocked them
    #[value(name = "operator_block")]
    OperatorBlock,
    /// Their address is dead
    Undeliverable,
}

/// What kind of address.
#[derive(Debug, Clone, Copy, ValueEnum, PartialEq, Eq)]
pub(crate) enum Of {
    /// E-mail addresses
    Email,
    /// Telephone numbers
    Phone,
}

/// How e-mail addresses were spelt before they were hashed. Telephone numbers always in E.164 form.
#[derive(Debug, Clone, Copy, ValueEnum, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// Trimmed and in lower case: what nearly everybody does
    Lower,
    /// As before, without dots before gmail.com and googlemail.com: Google Customer Match
    Google,
    /// As before, also without plus tags there: UID2
    Uid2,
}

/// `suppressions import`
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("from").required(true).args(["system", "source"]),
    after_help = "Digests are kept as they are: they also catch people who come later. What cannot be read is set aside, \
        counted and named by its line, and the program exits with 2."
)]
pub(crate) struct Import {
    /// The list: one address, telephone number or digest of one on each row
    pub(crate) file: PathBuf,
    /// The instance it was taken from, as the settings name it
    #[arg(long, value_name = "NAME")]
    pub(crate) system: Option<String>,
    /// Whoever else handed it over, in a word of your own such as `partner`; the ledger names it
    #[arg(long, value_name = "LABEL")]
    pub(crate) source: Option<String>,
    /// Why people are on it
    #[arg(long, value_enum, default_value = "withdrawn")]
    pub(crate) reason: Act,
    /// Only for this purpose, as often as needed; without it, for all direct marketing
    #[arg(long = "purpose", value_name = "PURPOSE")]
    pub(crate) purposes: Vec<String>,
    /// Only on this channel, as often as needed; without it, on all that such an address is used for
    #[arg(long = "channel", value_name = "CHANNEL")]
    pub(crate) channels: Vec<String>,
    /// How addresses are written; without it, read off the content where that is certain
    #[arg(long, value_enum)]
    pub(crate) shape: Option<Shape>,
    /// What kind of address; without it, digests are of e-mail addresses unless the header speaks of telephones
    #[arg(long, value_enum, value_name = "KIND")]
    pub(crate) of: Option<Of>,
    /// How e-mail addresses were spelt before they were hashed
    #[arg(long, value_enum, default_value = "lower")]
    pub(crate) spelling: Spelling,
    /// Which column, by its name or its number from 1; without it, the only one that holds addresses or digests
    #[arg(long)]
    pub(crate) column: Option<String>,
    /// The encoding, such as windows-1252; without it, found out
    #[arg(long)]
    pub(crate) encoding: Option<String>,
    /// The character between cells; without it, found out
    #[arg(long, value_name = "CHARACTER")]
    pub(crate) separator: Option<char>,
    /// Only say what it would do
    #[arg(long)]
    pub(crate) dry_run: bool,
}
