//! What an operator writes about a folder of files, as it is written. What it means is worked out in `mapping`.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer};
use serde_json::Value;

/// How many rows a page holds where settings say nothing.
const PAGE_ROWS: usize = 1000;

/// The settings of one file or folder.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) path: PathBuf,
    pub(crate) preset: Option<Preset>,
    pub(crate) format: Option<Format>,
    pub(crate) encoding: Option<String>,
    pub(crate) separator: Option<String>,
    pub(crate) quote: Option<String>,
    #[serde(default = "yes")]
    pub(crate) header: bool,
    #[serde(default = "blank")]
    pub(crate) blank: Vec<String>,
    #[serde(default)]
    pub(crate) date_format: Texts,
    #[serde(default = "page_rows")]
    pub(crate) page_rows: usize,
    #[serde(default)]
    pub(crate) columns: ColumnSettings,
    #[serde(default)]
    pub(crate) claims: BTreeMap<String, ClaimSettings>,
    #[serde(default)]
    pub(crate) events: BTreeMap<String, EventSettings>,
}

/// What a file is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Format {
    /// Delimited text.
    Csv,
    /// One JSON object on each line.
    Jsonl,
}

/// Whose exports are read without a mapping of columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Preset {
    /// Whoever's header it is, each file by itself.
    Auto,
    /// Mailchimp's audience exports.
    Mailchimp,
    /// `HubSpot`'s contact exports.
    Hubspot,
    /// Brevo's contact exports.
    Brevo,
}

/// Which columns hold whose identifiers and attributes.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ColumnSettings {
    #[serde(default)]
    pub(crate) email: Texts,
    #[serde(default)]
    pub(crate) phone: Texts,
    #[serde(default)]
    pub(crate) postal: Texts,
    pub(crate) customer: Option<String>,
    pub(crate) person: Option<String>,
    #[serde(default)]
    pub(crate) record: Texts,
    pub(crate) country: Option<String>,
    pub(crate) audience: Option<String>,
    pub(crate) professional: Option<String>,
    pub(crate) birth: Option<String>,
}

/// What a row shows of one list or purpose: its present state.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClaimSettings {
    pub(crate) purposes: Option<Vec<String>>,
    pub(crate) list: Option<String>,
    pub(crate) channels: Option<Vec<String>>,
    pub(crate) status: Option<String>,
    pub(crate) status_map: Option<BTreeMap<String, String>>,
    pub(crate) assume: Option<String>,
    pub(crate) since: Option<String>,
    pub(crate) actor: Option<String>,
    pub(crate) evidence: Option<EvidenceSettings>,
}

/// Something that a row says has happened.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EventSettings {
    pub(crate) kind: String,
    pub(crate) at: Option<String>,
    pub(crate) when: Option<WhenSettings>,
    pub(crate) purposes: Option<Vec<String>>,
    pub(crate) list: Option<String>,
    pub(crate) channels: Option<Vec<String>>,
    pub(crate) actor: Option<String>,
    pub(crate) evidence: Option<EvidenceSettings>,
    pub(crate) opt_out_offered: Option<Origin>,
    pub(crate) similar: Option<Origin>,
    pub(crate) verified: Option<Origin>,
    pub(crate) code: Option<Origin>,
}

/// When a row says that something has happened.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WhenSettings {
    pub(crate) column: String,
    pub(crate) equals: Option<Vec<String>>,
}

/// Where each predicate of evidence comes from.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EvidenceSettings {
    pub(crate) capture: Option<Origin>,
    pub(crate) notice: Option<Origin>,
    pub(crate) controller_named: Option<Origin>,
    pub(crate) purpose_specific: Option<Origin>,
    pub(crate) affirmative: Option<Origin>,
    pub(crate) pre_ticked: Option<Origin>,
    pub(crate) bundled: Option<Origin>,
    pub(crate) inferred: Option<Origin>,
    pub(crate) doi: Option<Origin>,
    pub(crate) authenticated: Option<Origin>,
    pub(crate) signed: Option<Origin>,
    pub(crate) document: Option<Origin>,
}

/// Where a value comes from: a column, or these settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The column of this name.
    Column(String),
    /// Yes or no, the same for every row.
    Flag(bool),
    /// A text, the same for every row.
    Text(String),
}

/// One text or several.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Texts(pub(crate) Vec<String>);

fn yes() -> bool {
    true
}

fn blank() -> Vec<String> {
    vec!["NULL".to_owned(), "\\N".to_owned()]
}

fn page_rows() -> usize {
    PAGE_ROWS
}

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextsVisitor;
        impl<'de> Visitor<'de> for TextsVisitor {
            type Value = Texts;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, or a list of texts")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Texts, E> {
                Ok(Texts(vec![text.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Texts, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = items.next_element()? {
                    texts.push(text);
                }
                Ok(Texts(texts))
            }
        }
        deserializer.deserialize_any(TextsVisitor)
    }
}

impl<'de> Deserialize<'de> for Origin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OriginVisitor;
        impl<'de> Visitor<'de> for OriginVisitor {
            type Value = Origin;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("{ column = \"…\" }, { value = … }, true or false")
            }

            fn visit_bool<E: Error>(self, flag: bool) -> Result<Origin, E> {
                Ok(Origin::Flag(flag))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Origin, A::Error> {
                #[derive(Deserialize)]
                #[serde(deny_unknown_fields)]
                struct Table {
                    column: Option<String>,
                    value: Option<Value>,
                }
                let table = Table::deserialize(MapAccessDeserializer::new(map))?;
                match (table.column, table.value) {
                    (Some(column), None) => Ok(Origin::Column(column)),
                    (None, Some(Value::Bool(flag))) => Ok(Origin::Flag(flag)),
                    (None, Some(Value::String(text))) => Ok(Origin::Text(text)),
                    (None, Some(_)) => Err(A::Error::custom("a value is a text, true or false")),
                    (Some(_), Some(_)) | (None, None) => {
                        Err(A::Error::custom("name either a column or a value: { column = \"…\" } or { value = … }"))
                    }
                }
            }
        }
        deserializer.deserialize_any(OriginVisitor)
    }
}
