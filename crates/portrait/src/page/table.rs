//! Tables that a screen reader can walk through, that fold into cards on a narrow screen and that print well.

use std::fmt::{self, Display, Write as _};

use crate::escape::{Escaped, Foreign};

/// The inside of one cell, already safe to write into a page.
pub(super) struct Cell {
    html: String,
    class: &'static str,
}

impl Cell {
    /// Words of our own.
    pub(super) fn own(words: &str) -> Self {
        Self { html: Escaped(words).to_string(), class: "" }
    }

    /// Words of others.
    pub(super) fn foreign(text: &str) -> Self {
        Self { html: Foreign(text).to_string(), class: "value" }
    }

    /// A name in the words of a program.
    pub(super) fn code(text: &str) -> Self {
        Self { html: format!("<code>{}</code>", Foreign(text)), class: "" }
    }

    /// Words of our own that stand back.
    pub(super) fn faint(words: &str) -> Self {
        Self { html: format!("<span class=\"faint\">{}</span>", Escaped(words)), class: "" }
    }

    /// Nothing: a narrow screen leaves it out.
    pub(super) fn none() -> Self {
        Self { html: String::new(), class: "none" }
    }

    /// Words of our own in a pill of this look.
    pub(super) fn pill(look: &str, words: &str) -> Self {
        Self { html: format!("<span class=\"pill {look}\">{}</span>", Escaped(words)), class: "" }
    }

    /// The same cell with a line of smaller words of our own below.
    pub(super) fn with(mut self, below: &str) -> Self {
        if !below.is_empty() {
            self.html.push_str("<span class=\"below\">");
            self.html.push_str(&Escaped(below).to_string());
            self.html.push_str("</span>");
        }
        self
    }
}

impl Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.html)
    }
}

/// A table in the making. The first cell of a row is its head.
pub(super) struct Table<'a> {
    /// What the table is about, as words that are safe in a page.
    pub(super) caption: String,
    /// What the columns are, with how wide each is: a class of the style sheet.
    pub(super) columns: &'a [(&'a str, &'a str)],
    /// The rows.
    pub(super) rows: Vec<Vec<Cell>>,
}

impl Table<'_> {
    /// Writes the table. The roles keep it a table for assistive software also where the style sheet folds its rows.
    pub(super) fn write(&self, out: &mut String) -> fmt::Result {
        // Two columns fit on any screen; more are folded.
        let class = if self.columns.len() > 2 { " class=\"wide\"" } else { "" };
        writeln!(out, "<table role=\"table\"{class}>\n<caption>{}</caption>", self.caption)?;
        out.push_str("<thead role=\"rowgroup\"><tr role=\"row\">");
        for (head, width) in self.columns {
            write!(out, "<th role=\"columnheader\" scope=\"col\" class=\"{width}\">{}</th>", Escaped(head))?;
        }
        out.push_str("</tr></thead>\n<tbody role=\"rowgroup\">\n");
        for row in &self.rows {
            out.push_str("<tr role=\"row\">");
            for (place, (cell, (head, _))) in row.iter().zip(self.columns).enumerate() {
                let (label, class) = (Escaped(head), cell.class);
                if place == 0 {
                    write!(out, "<th role=\"rowheader\" scope=\"row\" class=\"{class}\">{cell}</th>")?;
                } else {
                    write!(out, "<td role=\"cell\" data-label=\"{label}\" class=\"{class}\"><div>{cell}</div></td>")?;
                }
            }
            out.push_str("</tr>\n");
        }
        out.push_str("</tbody>\n</table>\n");
        Ok(())
    }
}
