//! `index.html`: the page for the person. One file, no script, nothing loaded from anywhere; it reads on paper, on a
//! telephone, in the dark and aloud.

mod choices;
mod holdings;
mod others;
mod table;

use std::fmt::{self, Write as _};

use crate::escape::{Escaped, Foreign};
use crate::portrait::{Look, Portrait};
use crate::words;

/// How the page looks.
const STYLE: &str = include_str!("page/style.css");

/// The sections, each with its anchor and its heading.
const SECTIONS: [(&str, &str); 6] = [
    ("who", "Who we are"),
    ("held", "What we hold about you"),
    ("choices", "What you agreed to or refused"),
    ("recipients", "Who received your data"),
    ("kept", "What is kept, and why"),
    ("rights", "Your rights"),
];

/// Writes the whole page.
pub(crate) fn write(portrait: &Portrait) -> Result<String, fmt::Error> {
    let mut out = String::new();
    head(portrait, &mut out)?;
    summary(portrait, &mut out)?;
    contents(&mut out)?;
    out.push_str("<main id=\"main\">\n");
    open(&mut out, 0)?;
    who(portrait, &mut out)?;
    open_after(&mut out, 1)?;
    holdings::write(portrait, &mut out)?;
    open_after(&mut out, 2)?;
    choices::write(portrait, &mut out)?;
    open_after(&mut out, 3)?;
    others::recipients(portrait, &mut out)?;
    open_after(&mut out, 4)?;
    others::kept(portrait, &mut out)?;
    open_after(&mut out, 5)?;
    others::rights(portrait, &mut out)?;
    out.push_str("</section>\n</main>\n");
    foot(portrait, &mut out)?;
    Ok(out)
}

fn head(portrait: &Portrait, out: &mut String) -> fmt::Result {
    let name = &portrait.controller.name;
    write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"robots\" content=\"noindex, nofollow\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>Your personal data: {}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <a class=\"skip\" href=\"#main\">Skip to the content</a>\n\
         <header>\n<p class=\"from\">{}</p>\n<h1>Your personal data</h1>\n\
         <p class=\"lead\">The answer to your request under articles 15 and 20 of the General Data Protection Regulation \
         (GDPR).</p>\n",
        Escaped(name),
        Foreign(name),
    )
}

fn summary(portrait: &Portrait, out: &mut String) -> fmt::Result {
    let at = portrait.made_at;
    let zone = portrait.zone.iana_name().unwrap_or("UTC");
    write!(
        out,
        "<dl class=\"facts\">\n<div><dt>As of</dt><dd><time datetime=\"{at}\">{}</time> <span class=\"faint\">{}</span>\
         </dd></div>\n",
        words::moment(at, &portrait.zone),
        Escaped(zone),
    )?;
    if !portrait.whom.is_empty() {
        let typed: Vec<String> = portrait.whom.iter().map(|text| Foreign(text).to_string()).collect();
        writeln!(out, "<div><dt>You asked about</dt><dd>{}</dd></div>", typed.join(" "))?;
    }
    let read = portrait.gathered().count();
    let fields = portrait.gathered().flat_map(|(_, gathered)| &gathered.holdings).map(|record| record.fields.len());
    writeln!(
        out,
        "<div><dt>Found</dt><dd>{} with {} in {}</dd></div>\n</dl>",
        words::count(portrait.records(), "record"),
        words::count(fields.sum(), "field"),
        words::count(read, "system"),
    )?;
    out.push_str(verdict(portrait));
    out.push_str("</header>\n");
    Ok(())
}

/// The answer in one sentence, where there is one to give first.
fn verdict(portrait: &Portrait) -> &'static str {
    let silent = portrait.records() == 0 && portrait.known.iter().all(|known| known.explanation.facts.is_empty());
    let covered = portrait.systems.iter().all(|part| matches!(part.look, Look::Gathered(_)));
    let whole = portrait.gathered().all(|(_, gathered)| gathered.unseen.is_empty());
    match (silent, covered) {
        (true, true) if whole => {
            "<p class=\"note good\"><strong>We hold nothing about you.</strong> Every system was read, and none of them \
             knows what you asked about.</p>\n"
        }
        (true, true) => {
            "<p class=\"note good\"><strong>We found nothing about you.</strong> A few places cannot be searched; they \
             are named below.</p>\n"
        }
        (true, false) => {
            "<p class=\"note care\"><strong>We found nothing about you in the systems that we could read.</strong> Some \
             could not be read; they are named below.</p>\n"
        }
        (false, true) => "",
        (false, false) => {
            "<p class=\"note care\"><strong>This answer is not complete yet.</strong> Some systems could not be read; \
             they are named below.</p>\n"
        }
    }
}

fn contents(out: &mut String) -> fmt::Result {
    out.push_str("<nav aria-label=\"Contents\">\n<ol>\n");
    for (anchor, heading) in SECTIONS {
        writeln!(out, "<li><a href=\"#{anchor}\">{heading}</a></li>")?;
    }
    out.push_str("</ol>\n</nav>\n");
    Ok(())
}

fn open(out: &mut String, number: usize) -> fmt::Result {
    let Some((anchor, heading)) = SECTIONS.get(number) else { return Ok(()) };
    writeln!(out, "<section id=\"{anchor}\" aria-labelledby=\"{anchor}-h\">\n<h2 id=\"{anchor}-h\">{heading}</h2>")
}

fn open_after(out: &mut String, number: usize) -> fmt::Result {
    out.push_str("</section>\n");
    open(out, number)
}

fn who(portrait: &Portrait, out: &mut String) -> fmt::Result {
    let name = Foreign(&portrait.controller.name);
    writeln!(out, "<p>{name} decides why and how your data is used, and is responsible for it.</p>")?;
    match &portrait.controller.contact {
        Some(contact) => writeln!(
            out,
            "<p>Write to <strong>{}</strong> with any question, to correct something, or to use one of your rights.</p>",
            Foreign(contact),
        ),
        None => writeln!(
            out,
            "<p>Answer the message that brought you this page with any question, to correct something, or to use one of \
             your rights.</p>",
        ),
    }
}

fn foot(portrait: &Portrait, out: &mut String) -> fmt::Result {
    write!(
        out,
        "<footer>\n<p>The same data for programs: <a href=\"portrait.json\">portrait.json</a> holds everything above with \
         the source of every field, <a href=\"consents.json\">consents.json</a> the records of your consents and refusals \
         in the form of ISO/IEC TS 27560. You may take both elsewhere.</p>\n\
         <p>Made on <time datetime=\"{at}\">{}</time>. This page holds personal data: keep it where only you can read \
         it.</p>\n</footer>\n</body>\n</html>\n",
        words::day(portrait.made_at, &portrait.zone),
        at = portrait.made_at,
    )
}
