//! Faults on demand: what goes wrong, on which call, how often.
//!
//! A rule that is not understood is refused when it is set; it never turns into another fault.

mod strike;

use serde::{Deserialize, Serialize};

pub(crate) use strike::{Faults, Sight, Strike};

/// How many rules a twin takes at once.
pub const RULES_MAX: usize = 64;

/// The longest delay or stall.
pub const DELAY_MS_MAX: u64 = 900_000;

/// What goes wrong with a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// 429, in the vendor's form.
    RateLimited(RetryAfter),
    /// A status from 500 to 599, in the vendor's form.
    ServerError(u16),
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
    /// The call is carried out; the answer comes so many milliseconds late.
    DelayAnswer(u64),
    /// The connection is dropped; the call is not carried out.
    DropCall,
    /// The call is carried out; the connection is dropped before the answer.
    LostAnswer,
    /// The answer says that the call was carried out; it was not.
    FalseAcknowledgement,
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
            Self::Unauthorized => "unauthorized",
            Self::AddressInError => "address_in_error",
            Self::HtmlPage => "html_page",
            Self::ErrorInside => "error_inside",
            Self::TruncatedJson => "truncated_json",
            Self::CutBody(_) => "cut_body",
            Self::StallBody(_) => "stall_body",
            Self::DelayAnswer(_) => "delay_answer",
            Self::DropCall => "drop_call",
            Self::LostAnswer => "lost_answer",
            Self::FalseAcknowledgement => "false_acknowledgement",
            Self::EmptyPage => "empty_page",
            Self::FalseEnd => "false_end",
            Self::ShortPage(_) => "short_page",
            Self::RepeatedPage => "repeated_page",
            Self::CursorLoop(_) => "cursor_loop",
            Self::RefuseRows(_) => "refuse_rows",
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
            Fault::StallBody(delay_ms) | Fault::DelayAnswer(delay_ms) => {
                within("the milliseconds", *delay_ms, 1, DELAY_MS_MAX)?;
            }
            Fault::CursorLoop(length) => within("the length of the loop", *length as u64, 1, 2)?,
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
