//! Which character separates the cells of a file, where settings do not say.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek};

use crate::charset::Charset;
use crate::header;
use crate::line::Lines;
use crate::splitter::{Dialect, is_hint};

/// The characters that are tried, the likeliest first.
const CANDIDATES: [u8; 4] = [b',', b';', b'\t', b'|'];
/// How many lines are looked at.
const SAMPLE_LINES_MAX: usize = 50;
/// How much text is looked at.
const SAMPLE_BYTES_MAX: usize = 256 * 1024;

/// The separator under which most columns in use are found in the header, and most rows are as wide as it.
pub(crate) fn detect(
    file: &mut (impl Read + Seek),
    charset: Charset,
    quote: Option<u8>,
    columns: Wanted<'_>,
) -> io::Result<u8> {
    let sample = sample(file, charset)?;
    let hinted = sample
        .lines()
        .next()
        .filter(|line| is_hint(line))
        .and_then(|line| line.trim_end_matches(['\r', ' ']).as_bytes().get(4).copied());
    let hinted = hinted.filter(u8::is_ascii);
    if let Some(separator) = hinted {
        return Ok(separator);
    }
    let mut best = (CANDIDATES[0], (0, 0));
    for separator in CANDIDATES {
        let score = score(&sample, Dialect { separator, quote }, columns);
        if score > best.1 {
            best = (separator, score);
        }
    }
    Ok(best.0)
}

/// The columns that are looked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'w> {
    /// Their names.
    pub(crate) names: &'w [String],
    /// Whether the first row names them; otherwise they are numbers.
    pub(crate) header: bool,
}

/// How many wanted columns the first row has, and in how many rows the commonest width beyond one cell is found.
fn score(sample: &str, dialect: Dialect, columns: Wanted<'_>) -> (usize, usize) {
    let mut builder = csv::ReaderBuilder::new();
    builder.delimiter(dialect.separator).has_headers(false).flexible(true);
    match dialect.quote {
        Some(quote) => builder.quote(quote),
        None => builder.quoting(false),
    };
    let mut reader = builder.from_reader(sample.as_bytes());
    let mut widths: BTreeMap<usize, usize> = BTreeMap::new();
    let (mut found, mut parted) = (None, false);
    for record in reader.records().map_while(Result::ok) {
        found.get_or_insert_with(|| {
            parted = record.len() > 1;
            let first: Vec<String> = record.iter().map(str::to_owned).collect();
            let known = |name: &&String| header::find(&first, columns.header, name).is_ok();
            columns.names.iter().filter(known).count()
        });
        *widths.entry(record.len()).or_default() += 1;
    }
    // What does not part the first row parts none: rows cannot be wider than it.
    let alike = widths.into_iter().filter(|(width, _)| parted && *width > 1).map(|(_, rows)| rows).max();
    (found.unwrap_or_default(), alike.unwrap_or_default())
}

/// The first lines of a file, as far as they are text.
fn sample(file: &mut (impl Read + Seek), charset: Charset) -> io::Result<String> {
    let mut lines = Lines::new(file, charset.unit(), charset.top());
    lines.go_to(charset.top())?;
    let (mut sample, mut bytes) = (String::new(), Vec::new());
    for _ in 0..SAMPLE_LINES_MAX {
        if lines.next(&mut bytes)?.is_none() || sample.len() + bytes.len() > SAMPLE_BYTES_MAX {
            break;
        }
        if let Ok(text) = charset.decode(&bytes) {
            sample.push_str(&text);
            sample.push('\n');
        }
    }
    Ok(sample)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detected(text: &str, names: &[&str], header: bool) -> char {
        let mut file = io::Cursor::new(text.as_bytes().to_vec());
        let charset = Charset::of(&mut file, None).unwrap();
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        char::from(detect(&mut file, charset, Some(b'"'), Wanted { names: &names, header }).unwrap())
    }

    #[test]
    fn the_separator_that_shows_the_wanted_columns_wins() {
        let decimal = "name;email;total\n\"a, b\";ada@example.org;1,5\nc;bob@example.org;2,5\n";
        assert_eq!(detected(decimal, &["email"], true), ';');
        assert_eq!(detected("a\temail\n1\tx\n", &["email"], true), '\t');
        assert_eq!(detected("a|email|b,c\n", &["email"], true), '|');
        assert_eq!(detected("email\nada@example.org\n", &["email"], true), ',');
        assert_eq!(detected("email\na;b@example.org\nc;d@example.org\n", &["email"], true), ',');
    }

    #[test]
    fn a_file_without_header_is_judged_by_its_widths() {
        assert_eq!(detected("ada@example.org;yes\nbob@example.org;no\n", &["1", "2"], false), ';');
    }

    #[test]
    fn a_hint_for_spreadsheets_is_followed() {
        assert_eq!(detected("sep=|\nemail|a\n", &["email"], true), '|');
    }
}
