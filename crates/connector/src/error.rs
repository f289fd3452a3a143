//! What can go wrong between host and platform. Callers branch on [`ErrorKind`], never on text.

use std::fmt;
use std::time::Duration;

/// A kind of failure. What the host does next follows from it, in one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// Settings or credentials are wrong: somebody must act, no retry helps.
    Config,
    /// The credentials lack a permission for this stream or call; others may work.
    Scope,
    /// The platform asks to slow down, for this long where it said so.
    RateLimited(Option<Duration>),
    /// It may pass: 5xx, a refused connection, a time-out before anything was sent.
    Transient,
    /// The answer is not what the platform documents: HTML, half a document, an error inside a success. Never the end
    /// of data.
    Contract,
    /// What was asked for does not exist there.
    NotFound,
    /// The platform refuses this for good.
    Refused,
    /// The answer was lost: the effect is unknown and must be read back before any repetition.
    Lost,
    /// Not everything was seen, and the platform's own figures say so.
    Incomplete,
    /// The request would leave the declared hosts, or the body its declared size.
    Bounds,
}

impl ErrorKind {
    /// Whether the same call may succeed later without anybody acting.
    pub fn may_pass(self) -> bool {
        matches!(self, Self::RateLimited(_) | Self::Transient | Self::Contract | Self::Incomplete | Self::Lost)
    }

    /// The kind in one word, for reports and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Scope => "scope",
            Self::RateLimited(_) => "rate_limited",
            Self::Transient => "transient",
            Self::Contract => "contract",
            Self::NotFound => "not_found",
            Self::Refused => "refused",
            Self::Lost => "lost",
            Self::Incomplete => "incomplete",
            Self::Bounds => "bounds",
        }
    }
}

/// A failure with what was being done and what is known of it. It carries codes and counts, never bodies, addresses or
/// secrets.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    during: &'static str,
    context: Vec<(&'static str, String)>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The result of anything a connector does.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// A failure of this kind while doing `during`: a lower-case fragment that fits "failed to …".
    ///
    /// ```
    /// use unisson_connector::{Error, ErrorKind};
    /// let error = Error::new(ErrorKind::Contract, "read a page of members").with("status", 200);
    /// assert_eq!(error.to_string(), "read a page of members (contract, status 200)");
    /// ```
    pub fn new(kind: ErrorKind, during: &'static str) -> Self {
        Self { kind, during, context: Vec::new(), source: None }
    }

    /// The same with one known fact more. Never pass an address, a secret or a body.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "callers pass numbers and texts alike")]
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.context.push((name, value.to_string()));
        self
    }

    /// The same with its cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What was being done.
    pub fn during(&self) -> &'static str {
        self.during
    }

    /// What is known of it, by name.
    pub fn context(&self) -> &[(&'static str, String)] {
        &self.context
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}", self.during, self.kind.as_str())?;
        for (name, value) in &self.context {
            write!(f, ", {name} {value}")?;
        }
        f.write_str(")")
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source.as_ref() as &(dyn std::error::Error + 'static))
    }
}
