//! What an operator sets, and what must be right about it before anything is sent.
//!
//! A key is never printed, and only its data centre is read from it. Forms are the one place where a claim of Mailchimp's
//! can become a proof: they are the operator's word, not the vendor's.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use unisson_sdk::{BuildError, SecretRef};
use url::Url;

use crate::names::{Part, Place};
use crate::pass::COUNT_MAX;

/// The settings of one Mailchimp account.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The API key, or an OAuth2 access token together with `base_url`.
    pub api_key: SecretRef,
    /// Where the interface is; otherwise the data centre at the end of the key says so.
    pub base_url: Option<String>,
    /// How many members one page holds, 1 to 1000.
    #[serde(default = "page_size")]
    pub page_size: u64,
    /// The audiences to work on; all of them where nothing is said.
    pub audiences: Option<BTreeSet<String>>,
    /// The forms whose text is stored.
    #[serde(default)]
    pub forms: Vec<Form>,
}

/// A sign-up form that showed a stored notice, naming controller and purpose, with an unticked box.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Form {
    /// What Mailchimp shows as `source` of its members, letter by letter.
    pub source: String,
    /// The notice it showed.
    pub notice: String,
    /// Whether Mailchimp asked these members to confirm by a link in a message.
    #[serde(default)]
    pub double_opt_in: bool,
    /// The slots besides the audience whose purposes the notice names, such as `a6b5da1054/interest/9143cf3bd1`.
    #[serde(default)]
    pub slots: Vec<String>,
}

impl Form {
    /// Whether its notice names the purpose of this slot.
    pub(crate) fn vouches_for(&self, place: Place<'_>) -> bool {
        place.part == Part::Audience || self.slots.iter().any(|slot| slot == place.id().as_str())
    }
}

impl Settings {
    /// The page size, if Mailchimp takes it.
    pub(crate) fn checked_page_size(&self) -> Result<u64, BuildError> {
        if (1..=COUNT_MAX).contains(&self.page_size) {
            return Ok(self.page_size);
        }
        Err(BuildError::new("page_size", "not between 1 and 1000, the most that Mailchimp gives at once"))
    }

    /// The forms by source; two for one source would contradict each other.
    pub(crate) fn forms_by_source(&self) -> Result<BTreeMap<String, Form>, BuildError> {
        let mut by_source = BTreeMap::new();
        for form in &self.forms {
            if form.source.trim().is_empty() || form.notice.trim().is_empty() {
                return Err(BuildError::new("forms", "a form without source or notice: name both"));
            }
            if by_source.insert(form.source.clone(), form.clone()).is_some() {
                return Err(BuildError::new("forms", "two forms for one source: keep the one whose notice was shown"));
            }
        }
        Ok(by_source)
    }

    /// Where the interface is.
    pub(crate) fn base_url(&self, key: &str) -> Result<Url, BuildError> {
        if let Some(url) = &self.base_url {
            let unreadable = "no address such as https://us21.api.mailchimp.com/3.0";
            return Url::parse(url).map_err(|error| BuildError::new("base_url", unreadable).because(error));
        }
        let unknown = "ends in no data centre such as `-us21`: copy the whole key, or set `base_url`";
        let centre = key.rsplit_once('-').map(|(_, centre)| centre).unwrap_or_default();
        let is_centre = (3..=8).contains(&centre.len()) && centre.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let is_centre = is_centre && centre.starts_with(|first: char| first.is_ascii_alphabetic());
        let url = is_centre.then(|| Url::parse(&format!("https://{centre}.api.mailchimp.com/3.0")).ok()).flatten();
        url.ok_or_else(|| BuildError::new("api_key", unknown))
    }
}

fn page_size() -> u64 {
    COUNT_MAX
}
