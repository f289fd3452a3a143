//! What is held and where: a table for each record of each system, and what could not be looked at.

use std::fmt::{self, Write as _};

use unisson_connector::{Field, FieldValue, Gathered, Holding, Presence};

use super::table::{Cell, Table};
use crate::escape::{Escaped, Foreign};
use crate::portrait::{Look, Portrait, SystemPart};
use crate::words;

pub(super) fn write(portrait: &Portrait, out: &mut String) -> fmt::Result {
    if portrait.systems.is_empty() {
        out.push_str("<p>No system is connected that could hold anything about you.</p>\n");
        return Ok(());
    }
    let found = portrait.gathered().any(|(_, gathered)| !gathered.holdings.is_empty());
    if found {
        out.push_str(
            "<p>Every record that we found, with everything it says, in the words of the system that holds it.</p>\n",
        );
    }
    portrait.systems.iter().try_for_each(|part| system(part, out))
}

fn system(part: &SystemPart, out: &mut String) -> fmt::Result {
    let platform = if part.connector.eq_ignore_ascii_case(&part.title) {
        String::new()
    } else {
        format!(" <span class=\"platform\">{}</span>", Foreign(&part.connector))
    };
    writeln!(out, "<h3>{}{platform}</h3>", Foreign(&part.title))?;
    match &part.look {
        Look::NotCovered { why } => writeln!(
            out,
            "<p class=\"note care\"><strong>Not covered.</strong> This system could not be read: {}</p>",
            Foreign(why),
        ),
        Look::Gathered(gathered) => shown(gathered, out),
    }
}

fn shown(gathered: &Gathered, out: &mut String) -> fmt::Result {
    if gathered.holdings.is_empty() {
        out.push_str("<p>Holds nothing about you.</p>\n");
    }
    let several = gathered.holdings.len() > 1;
    for (place, holding) in gathered.holdings.iter().enumerate() {
        let number =
            if several { format!("Record {} of {}: ", place + 1, gathered.holdings.len()) } else { String::new() };
        record(holding, &number, out)?;
    }
    if !gathered.unseen.is_empty() {
        out.push_str("<div class=\"note\"><p>What this system does not let us look at:</p>\n<ul>\n");
        for place in &gathered.unseen {
            writeln!(out, "<li>{}</li>", Foreign(place))?;
        }
        out.push_str("</ul></div>\n");
    }
    Ok(())
}

fn record(holding: &Holding, number: &str, out: &mut String) -> fmt::Result {
    let gone = match holding.observation.presence {
        Presence::Present => "",
        Presence::Archived => " <span class=\"pill quiet\">Archived</span>",
        Presence::Deleted => " <span class=\"pill quiet\">No longer there</span>",
    };
    let native = holding.observation.record.as_str();
    let caption = format!(
        "{}{}{gone} <span class=\"faint\">{}, number <bdi>{}</bdi></span>",
        Escaped(number),
        Foreign(&holding.kind),
        words::count(holding.fields.len(), "field"),
        Escaped(native),
    );
    let rows = holding.fields.iter().map(|field| vec![Cell::code(&place(field)), said(field)]).collect();
    Table { caption, columns: &[("Field", "w-field"), ("What it says", "")], rows }.write(out)
}

fn said(field: &Field) -> Cell {
    match &field.value {
        FieldValue::Text(text) if text.trim().is_empty() => Cell::foreign(text).with("blank"),
        FieldValue::Text(text) | FieldValue::Number(text) => Cell::foreign(text),
        FieldValue::Flag(true) => Cell::own("Yes"),
        FieldValue::Flag(false) => Cell::own("No"),
        FieldValue::Empty => Cell::faint("empty"),
    }
}

/// A JSON pointer as a path that reads: `/name/first` is "name › first".
fn place(field: &Field) -> String {
    let path = field.path.strip_prefix('/').unwrap_or(&field.path);
    let parts: Vec<String> = path.split('/').map(|part| part.replace("~1", "/").replace("~0", "~")).collect();
    parts.join(" › ")
}
