//! Faults on demand: what goes wrong, on which call, how often. The crate's front page has the table.
//!
//! A rule that is not understood is refused when it is set; it never turns into another fault.

mod strike;

use serde::{Deserialize, Serialize};

pub(crate) use strike::{Faults, Sight, Strike};

/// How many rules a twin takes at once.
pub const RULES_MAX: usize = 64;

/// The longest delay, stall or lag.
pub const DELAY_MS_MAX: u64 = 900_000;

/// How many reads a write may wait for.
const READS_MAX: u64 = 1_000_000;

/// The largest body, in mebibytes; a gzip trailer counts no further.
const MIB_MAX: u64 = 4_095;

/// The deepest JSON.
const DEPTH_MAX: u64 = 10_000_000;

/// The longest address, in kibibytes.
const KIB_MAX: u64 = 65_536;

/// What goes wrong with a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// 429, in the vendor's form.
    RateLimited(RetryAfter),
    /// A status from 500 to 599, in the vendor's form.
    ServerError(u16),
    /// A status from 400 to 499, in the vendor's form.
    ClientError(u16),
    /// 401, as if the credentials had just expired.
    Unauthorized,
    /// 400 whose body quotes an e-mail address from the call.
    AddressInError,
    /// 200 with an HTML maintenance page.
    HtmlPage,
    /// 200 with `{"error": …}` in place of the answer.
    ErrorInside,
    /// 200 with the first half of the answer, its length declared truthfully.
    TruncatedJson,
    /// The connection is cut in the middle of the body.
    CutBody(Framing),
    /// Half the body, then silence for so many milliseconds, then the connection is cut.
    StallBody(u64),
    /// Half the body, then silence for as long as the client waits.
    StallForEver,
    /// The call is carried out; the answer comes so many milliseconds late.
    DelayAnswer(u64),
    /// The connection is dropped; the call is not carried out.
    DropCall,
    /// The call is carried out; the connection is dropped before the answer.
    LostAnswer,
    /// The answer says that the call was carried out; it was not.
    FalseAcknowledgement,
    /// The answer says that the write was carried out; it shows later. What is written meanwhile waits behind it.
    LateEffect(Lag),
    /// A listing shows no rows although there are some, and still says that more follow.
    EmptyPage,
    /// A listing shows no rows and says nothing of more, although there are some.
    FalseEnd,
    /// A listing shows so many rows fewer than asked; the next page goes on after what was shown.
    ShortPage(usize),
    /// A listing shows the page again that it showed last.
    RepeatedPage,
    /// A listing goes round in a circle of one page or of two, from here on.
    CursorLoop(usize),
    /// A batch refuses the rows at these positions, counted from zero, and takes the others.
    RefuseRows(Vec<usize>),
    /// An erasure is acknowledged; the record is put out of use instead and stays.
    ArchiveInstead,
    /// An erasure is carried out; from then on reading any erased record of the account answers 403, until a reset.
    HideErased,
    /// The answer carries a text of so many mebibytes, in its first record where it has one.
    HugeBody(u32),
    /// The answer carries lists inside lists, so many deep, in its first record where it has one.
    DeepJson(u32),
    /// A byte of the answer is not UTF-8, in its first address where it has one.
    InvalidUtf8,
    /// A small compressed body that unpacks to an answer with a text of so many mebibytes.
    GzipBomb(u32),
    /// The first address of the answer is longer by so many kibibytes.
    LongAddress(u32),
}

/// When a write shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Lag {
    /// After so many milliseconds of the sandbox's time.
    Milliseconds(u64),
    /// After so many reads of the account, whatever they ask for.
    Reads(u32),
}

/// What a 429 says of when to come back (RFC 9110, section 10.2.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryAfter {
    /// Nothing.
    Bare,
    /// So many seconds.
    Seconds(u32),
    /// A date so many seconds ahead of the sandbox's time, which the `Date` header tells too.
    Date(u32),
    /// This text, sensible or not.
    Text(String),
}

/// How a body that is cut was framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Framing {
    /// By its length.
    Length,
    /// In chunks.
    Chunked,
}

/// On which of the calls that a rule is about its fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum When {
    /// Every time.
    Always,
    /// From this one on, counted from one, so many times.
    Call {
        /// The first call to be struck.
        number: u32,
        /// How many calls in a row.
        #[serde(default = "once")]
        times: u32,
    },
    /// Whenever this page of a listing is asked for, at most so many times. Pages are counted from one in the order in
    /// which they are first asked for; asking again for a page does not count it again.
    Page {
        /// The page.
        number: u32,
        /// How many times.
        #[serde(default = "once")]
        times: u32,
    },
    /// So many times in a hundred, as the seed decides.
    Percent(u32),
}

/// A fault with the calls it is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What goes wrong.
    pub fault: Fault,
    /// Text that the path must hold; empty for every path.
    #[serde(default)]
    pub path: String,
    /// The method; without one, every method.
    #[serde(default)]
    pub method: Option<String>,
    /// On which of those calls. Without it, the first one.
    #[serde(default)]
    pub when: When,
}

/// A rule that cannot be set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// The figure is outside what the fault takes.
    #[error("set the fault: {what} must lie between {least} and {most}")]
    Figure {
        /// Which figure.
        what: &'static str,
        /// The least.
        least: u64,
        /// The most.
        most: u64,
    },
    /// There are [`RULES_MAX`] already.
    #[error("set another fault beyond {RULES_MAX}; clear the ones that are done")]
    TooMany,
}

impl Default for When {
    fn default() -> Self {
        Self::Call { number: 1, times: 1 }
    }
}

impl Fault {
    /// Its name, as in the call log.
    pub fn name(&self) -> &'static str {
        match self {
            Self::RateLimited(_) => "rate_limited",
            Self::ServerError(_) => "server_error",
            Self::ClientError(_) => "client_error",
            Self::Unauthorized => "unauthorized",
            Self::AddressInError => "address_in_error",
            Self::HtmlPage => "html_page",
            Self::ErrorInside => "error_inside",
            Self::TruncatedJson => "truncated_json",
            Self::CutBody(_) => "cut_body",
            Self::StallBody(_) => "stall_body",
            Self::StallForEver => "stall_for_ever",
            Self::DelayAnswer(_) => "delay_answer",
            Self::DropCall => "drop_call",
            Self::LostAnswer => "lost_answer",
            Self::FalseAcknowledgement => "false_acknowledgement",
            Self::LateEffect(_) => "late_effect",
            Self::EmptyPage => "empty_page",
            Self::FalseEnd => "false_end",
            Self::ShortPage(_) => "short_page",
            Self::RepeatedPage => "repeated_page",
            Self::CursorLoop(_) => "cursor_loop",
            Self::RefuseRows(_) => "refuse_rows",
            Self::ArchiveInstead => "archive_instead",
            Self::HideErased => "hide_erased",
            Self::HugeBody(_) => "huge_body",
            Self::DeepJson(_) => "deep_json",
            Self::InvalidUtf8 => "invalid_utf8",
            Self::GzipBomb(_) => "gzip_bomb",
            Self::LongAddress(_) => "long_address",
        }
    }
}

impl Rule {
    /// This fault on the first call, whatever it is.
    ///
    /// ```
    /// use unisson_sandbox::{Fault, RetryAfter, Rule};
    /// let rule = Rule::new(Fault::RateLimited(RetryAfter::Seconds(6))).on("/members").at_page(3);
    /// let sent = r#"{"fault":{"rate_limited":{"seconds":6}},"path":"/members","when":{"page":{"number":3}}}"#;
    /// assert_eq!(serde_json::from_str::<Rule>(sent).unwrap(), rule);
    /// ```
    pub fn new(fault: Fault) -> Self {
        Self { fault, path: String::new(), method: None, when: When::default() }
    }

    /// Only where the path holds this text.
    #[must_use]
    pub fn on(self, path: &str) -> Self {
        Self { path: path.to_owned(), ..self }
    }

    /// Only with this method.
    #[must_use]
    pub fn method(self, method: &str) -> Self {
        Self { method: Some(method.to_owned()), ..self }
    }

    /// On the n-th such call, counted from one.
    #[must_use]
    pub fn at_call(self, number: u32) -> Self {
        Self { when: When::Call { number, times: 1 }, ..self }
    }

    /// When the n-th page of a listing is asked for first, counted from one.
    #[must_use]
    pub fn at_page(self, number: u32) -> Self {
        Self { when: When::Page { number, times: 1 }, ..self }
    }

    /// So many times instead of once; without effect on rules that strike always or by chance.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        let when = match self.when {
            When::Call { number, .. } => When::Call { number, times },
            When::Page { number, .. } => When::Page { number, times },
            When::Always | When::Percent(_) => self.when,
        };
        Self { when, ..self }
    }

    /// Every time.
    #[must_use]
    pub fn always(self) -> Self {
        Self { when: When::Always, ..self }
    }

    /// So many times in a hundred.
    #[must_use]
    pub fn percent(self, percent: u32) -> Self {
        Self { when: When::Percent(percent), ..self }
    }

    pub(crate) fn check(&self) -> Result<(), RuleError> {
        let within = |what, figure: u64, least, most| {
            let fits = (least..=most).contains(&figure);
            if fits { Ok(()) } else { Err(RuleError::Figure { what, least, most }) }
        };
        match &self.fault {
            Fault::ServerError(status) => within("the status", u64::from(*status), 500, 599)?,
            Fault::ClientError(status) => within("the status", u64::from(*status), 400, 499)?,
            Fault::StallBody(delay_ms)
            | Fault::DelayAnswer(delay_ms)
            | Fault::LateEffect(Lag::Milliseconds(delay_ms)) => {
                within("the milliseconds", *delay_ms, 1, DELAY_MS_MAX)?;
            }
            Fault::LateEffect(Lag::Reads(reads)) => within("the reads", u64::from(*reads), 1, READS_MAX)?,
            Fault::CursorLoop(length) => within("the length of the loop", *length as u64, 1, 2)?,
            Fault::HugeBody(mib) | Fault::GzipBomb(mib) => within("the mebibytes", u64::from(*mib), 1, MIB_MAX)?,
            Fault::DeepJson(levels) => within("the depth", u64::from(*levels), 1, DEPTH_MAX)?,
            Fault::LongAddress(kib) => within("the kibibytes", u64::from(*kib), 1, KIB_MAX)?,
            _ => {}
        }
        match self.when {
            When::Always => Ok(()),
            When::Call { number, .. } | When::Page { number, .. } => {
                within("the number", u64::from(number), 1, u64::from(u32::MAX))
            }
            When::Percent(percent) => within("the percentage", u64::from(percent), 1, 100),
        }
    }
}

fn once() -> u32 {
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One of each, in the order of the type.
    fn all() -> Vec<Fault> {
        vec![
            Fault::RateLimited(RetryAfter::Bare),
            Fault::ServerError(503),
            Fault::ClientError(425),
            Fault::Unauthorized,
            Fault::AddressInError,
            Fault::HtmlPage,
            Fault::ErrorInside,
            Fault::TruncatedJson,
            Fault::CutBody(Framing::Length),
            Fault::StallBody(1_500),
            Fault::StallForEver,
            Fault::DelayAnswer(1_500),
            Fault::DropCall,
            Fault::LostAnswer,
            Fault::FalseAcknowledgement,
            Fault::LateEffect(Lag::Reads(3)),
            Fault::EmptyPage,
            Fault::FalseEnd,
            Fault::ShortPage(10),
            Fault::RepeatedPage,
            Fault::CursorLoop(2),
            Fault::RefuseRows(vec![0, 7]),
            Fault::ArchiveInstead,
            Fault::HideErased,
            Fault::HugeBody(64),
            Fault::DeepJson(10_000),
            Fault::InvalidUtf8,
            Fault::GzipBomb(1_024),
            Fault::LongAddress(100),
        ]
    }

    /// The examples of the table, each as it is sent.
    fn examples() -> Vec<&'static str> {
        let page = include_str!("../README.md");
        let (_, from_here) = page.split_once("## Faults").unwrap();
        let (section, _) = from_here.split_once("## ").unwrap();
        let cells =
            section.lines().skip_while(|line| !line.starts_with("|---")).filter_map(|row| row.split('|').nth(2));
        cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect()
    }

    #[test]
    fn a_fault_has_one_name_in_rules_in_the_log_and_in_the_table() {
        for fault in all() {
            let sent = serde_json::to_string(&fault).unwrap();
            let name = format!("\"{}\"", fault.name());
            assert!(sent.contains(&name), "{sent}");
            assert!(examples().iter().any(|example| example.contains(&name)), "{name} is not in the table");
            assert_eq!(serde_json::from_str::<Fault>(&sent).unwrap(), fault);
        }
    }

    #[test]
    fn every_example_of_the_table_is_a_fault_that_can_be_set() {
        for example in examples() {
            let fault: Fault = serde_json::from_str(example).unwrap_or_else(|error| panic!("{example}: {error}"));
            assert_eq!(Rule::new(fault).check(), Ok(()), "{example}");
        }
    }
}
