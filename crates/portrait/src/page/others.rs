//! Who received data, what is kept and why, and what the person can ask for.

use std::fmt::{self, Write as _};

use super::table::{Cell, Table};
use crate::escape::Foreign;
use crate::portrait::Portrait;
use crate::words;

/// The rights of a person, each with its article and what it means.
const RIGHTS: [(&str, &str, &str); 8] = [
    ("Withdraw a consent", "art. 7(3)", "At any time, as easily as you gave it. What was done before stays lawful."),
    ("Correct", "art. 16", "Have wrong data put right and incomplete data completed. We tell everyone named above."),
    (
        "Erase",
        "art. 17",
        "Have your data deleted. What the law makes us keep is listed above, with its reason and its end.",
    ),
    ("Restrict", "art. 18", "Have your data only stored, for example while you and we disagree whether it is right."),
    (
        "Take it with you",
        "art. 20",
        "Get what you gave us in a form that programs read: it is in the files of this answer.",
    ),
    ("Object", "art. 21", "To direct marketing always and without a reason; to other uses for reasons of your own."),
    (
        "No decision by machines alone",
        "art. 22",
        "Ask that a person decides where a decision has legal effects for you.",
    ),
    (
        "Complain",
        "art. 77",
        "To a supervisory authority: where you live, where you work, or where you think the rules were broken. You can \
         also go to court.",
    ),
];

pub(super) fn recipients(portrait: &Portrait, out: &mut String) -> fmt::Result {
    if portrait.recipients.is_empty() && portrait.files.is_empty() {
        out.push_str("<p>We know of nobody who received data about you.</p>\n");
        return Ok(());
    }
    if !portrait.recipients.is_empty() {
        let rows = portrait.recipients.iter().map(|recipient| {
            let last = recipient.last.map(|at| words::moment(at, &portrait.zone));
            vec![
                Cell::foreign(&recipient.name),
                Cell::foreign(&recipient.received),
                last.map_or_else(|| Cell::faint("not recorded"), |last| Cell::own(&last)),
            ]
        });
        let columns = &[("Recipient", "w-half"), ("What", ""), ("Last", "w-when")];
        let caption = "Systems and companies that hold or got your data".to_owned();
        Table { caption, columns, rows: rows.collect() }.write(out)?;
    }
    if !portrait.files.is_empty() {
        let rows = portrait.files.iter().map(|file| {
            vec![Cell::own(&words::moment(file.at, &portrait.zone)), Cell::foreign(&file.to), Cell::foreign(&file.what)]
        });
        let columns = &[("When", "w-when"), ("Given to", "w-half"), ("What was in it", "")];
        Table { caption: "Files that were handed out".to_owned(), columns, rows: rows.collect() }.write(out)?;
    }
    Ok(())
}

pub(super) fn kept(portrait: &Portrait, out: &mut String) -> fmt::Result {
    if portrait.keeping.is_empty() {
        out.push_str("<p>Nothing would have to stay if you asked us to erase your data.</p>\n");
    } else {
        let rows = portrait.keeping.iter().map(|keeping| {
            let until = keeping.until.map(|at| words::day(at, &portrait.zone));
            vec![
                Cell::foreign(&keeping.fields.join(", ")),
                Cell::foreign(portrait.title_of(&keeping.system)),
                Cell::own(words::ground(keeping.ground)),
                Cell::foreign(&keeping.provision),
                until.map_or_else(|| Cell::faint("counted from your request"), |until| Cell::own(&until)),
            ]
        });
        let columns = &[("What", ""), ("Where", "w-short"), ("Why", ""), ("Provision", "w-short"), ("Until", "w-when")];
        let caption = "What stays even if you ask us to erase your data".to_owned();
        Table { caption, columns, rows: rows.collect() }.write(out)?;
        out.push_str("<p>Nobody uses it for anything else, and never for marketing.</p>\n");
    }
    if !portrait.retention.is_empty() {
        out.push_str("<h3>How long we keep the rest</h3>\n<ul>\n");
        for sentence in &portrait.retention {
            writeln!(out, "<li>{}</li>", Foreign(sentence))?;
        }
        out.push_str("</ul>\n");
    }
    Ok(())
}

pub(super) fn rights(portrait: &Portrait, out: &mut String) -> fmt::Result {
    match &portrait.controller.contact {
        Some(contact) => writeln!(
            out,
            "<p>All of them are free, and we answer within one month. Write to <strong>{}</strong>.</p>",
            Foreign(contact),
        )?,
        None => out.push_str("<p>All of them are free, and we answer within one month.</p>\n"),
    }
    out.push_str("<dl class=\"rights\">\n");
    for (right, article, meaning) in RIGHTS {
        writeln!(out, "<div><dt>{right} <span class=\"faint\">{article}</span></dt><dd>{meaning}</dd></div>")?;
    }
    out.push_str("</dl>\n");
    Ok(())
}
