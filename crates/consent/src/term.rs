//! The closed vocabularies that facts are told in. Whatever a source says in other words is translated before it gets here.

/// Who performed the act, not who told us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Actor {
    /// The person.
    #[default]
    DataSubject,
    /// The holder of parental responsibility (art. 8).
    Guardian,
    /// Staff of the controller.
    Operator,
    /// A file or an interface that changed many at once.
    Import,
    /// A program without a person behind it.
    Machine,
    /// A mailbox provider's feedback loop.
    MailboxProvider,
}

impl Actor {
    /// Every actor with the name used in scenarios and output.
    pub const ALL: [(Self, &'static str); 6] = [
        (Self::DataSubject, "data_subject"),
        (Self::Guardian, "guardian"),
        (Self::Operator, "operator"),
        (Self::Import, "import"),
        (Self::Machine, "machine"),
        (Self::MailboxProvider, "mailbox_provider"),
    ];

    /// The name used in scenarios and output.
    pub fn as_str(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// Reads a name; `None` for anything else.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, known)| *known == name).map(|(actor, _)| actor)
    }
}

/// Where the act was performed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Via {
    /// By a link in a message or a letter: it binds whoever reads that mailbox.
    #[default]
    Message,
    /// Inside one person's account: it speaks for that person only.
    Account,
}

/// What a system without history shows of one person and list, in canonical words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Says opted in: a claim.
    Subscribed,
    /// Waits for a confirmation.
    Pending,
    /// Says opted out.
    Unsubscribed,
    /// Opted out by reporting spam.
    Complained,
    /// The address does not take mail.
    Invalid,
    /// Blocked by staff or by the platform.
    Blocked,
    /// Never said anything: neither in nor out.
    Never,
    /// Not opted in, at a place that knows only in or not in and cannot show an opt-out.
    Off,
    /// No longer there.
    Deleted,
    /// A value nobody has mapped. Never a grant.
    Unknown,
}

impl Status {
    /// Every status with the name used in scenarios, mappings and output.
    pub const ALL: [(Self, &'static str); 10] = [
        (Self::Subscribed, "subscribed"),
        (Self::Pending, "pending"),
        (Self::Unsubscribed, "unsubscribed"),
        (Self::Complained, "complained"),
        (Self::Invalid, "invalid"),
        (Self::Blocked, "blocked"),
        (Self::Never, "never"),
        (Self::Off, "off"),
        (Self::Deleted, "deleted"),
        (Self::Unknown, "unknown"),
    ];

    /// The name used in scenarios, mappings and output.
    pub fn as_str(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// Reads a name; `None` for anything else.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, known)| *known == name).map(|(status, _)| status)
    }
}

/// A relation that may carry a legal basis other than consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Relation {
    /// Something was sold.
    Sale,
    /// Something was asked for.
    Inquiry,
    /// A contract runs.
    Contract,
    /// A contract ended.
    ContractEnd,
}

impl Relation {
    /// Every relation with the name used in policies and scenarios.
    pub const ALL: [(Self, &'static str); 4] = [
        (Self::Sale, "sale"),
        (Self::Inquiry, "inquiry"),
        (Self::Contract, "contract"),
        (Self::ContractEnd, "contract_end"),
    ];

    /// The name used in policies and scenarios.
    pub fn as_str(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// Reads a name; `None` for anything else.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, known)| *known == name).map(|(relation, _)| relation)
    }
}

/// A sign of life. Opening a message is none (CNIL 2021-131).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Activity {
    /// A link in a message was clicked.
    Click,
    /// The person logged in.
    Login,
    /// The person bought.
    Purchase,
    /// The person answered.
    Reply,
    /// A message was opened: kept, never counted.
    Open,
}

impl Activity {
    /// Every activity with the name used in scenarios and output.
    pub const ALL: [(Self, &'static str); 5] = [
        (Self::Click, "click"),
        (Self::Login, "login"),
        (Self::Purchase, "purchase"),
        (Self::Reply, "reply"),
        (Self::Open, "open"),
    ];

    /// The name used in scenarios and output.
    pub fn as_str(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// Reads a name; `None` for anything else.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, known)| *known == name).map(|(activity, _)| activity)
    }
}

/// What a non-delivery means for the address (RFC 3463, RFC 7293).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bounce {
    /// The address is dead.
    Hard,
    /// It failed this time.
    Soft,
    /// Somebody else reads it now.
    Reassigned,
    /// The sender's fault: says nothing of the address.
    Sender,
}

impl Bounce {
    /// Reads an enhanced status code; without one it is soft, never hard on a guess.
    ///
    /// ```
    /// use unisson_consent::Bounce;
    /// assert_eq!(Bounce::from_code("5.1.1"), Bounce::Hard);
    /// assert_eq!(Bounce::from_code("5.2.2"), Bounce::Soft);
    /// assert_eq!(Bounce::from_code("5.7.17"), Bounce::Reassigned);
    /// assert_eq!(Bounce::from_code("5.7.26"), Bounce::Sender);
    /// assert_eq!(Bounce::from_code("550"), Bounce::Soft);
    /// ```
    pub fn from_code(code: &str) -> Self {
        let code = code.trim();
        match code {
            "5.1.1" | "5.1.2" | "5.1.3" | "5.1.6" | "5.1.10" | "5.2.1" | "5.4.4" => Self::Hard,
            "5.7.17" | "5.7.18" => Self::Reassigned,
            "5.3.4" => Self::Sender,
            _ if code.starts_with("5.7.") || code.starts_with("5.6.") => Self::Sender,
            _ => Self::Soft,
        }
    }
}

/// Why data stays after an erasure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HoldBasis {
    /// Art. 17(3)(b): a legal obligation, such as keeping invoices.
    LegalObligation,
    /// Art. 17(3)(e): legal claims.
    LegalClaims,
    /// Art. 6(1)(b): a contract still runs.
    Contract,
}
