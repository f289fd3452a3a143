//! Rows out of JSON lines: one object per line, its values found by key or by JSON Pointer (RFC 6901).

use std::io::{self, Read, Seek};

use serde_json::Value;
use serde_json::error::Category;
use unisson_sdk::{Document, exact};

use crate::charset::Charset;
use crate::line::{Lines, Mark};
use crate::row::{Row, Step, cut, is_blank};

/// The objects of a file.
#[derive(Debug)]
pub(crate) struct Objects<R> {
    lines: Lines<R>,
    charset: Charset,
    names: Vec<String>,
    /// The line at which the file was cut off.
    cut: Option<u64>,
    bytes: Vec<u8>,
}

impl<R: Read + Seek> Objects<R> {
    /// The objects of a file, with the values of these names, before it is gone to where rows begin.
    pub(crate) fn new(input: R, charset: Charset, names: Vec<String>) -> Self {
        Self { lines: Lines::new(input, charset.unit(), charset.top()), charset, names, cut: None, bytes: Vec::new() }
    }

    /// Goes to where rows begin or go on.
    pub(crate) fn go_to(&mut self, at: Mark, cut: Option<u64>) -> io::Result<()> {
        self.cut = cut;
        self.lines.go_to(at)
    }

    /// Where the next line begins.
    pub(crate) fn mark(&self) -> Mark {
        self.lines.mark()
    }

    /// The line at which the file was cut off.
    pub(crate) fn cut(&self) -> Option<u64> {
        self.cut
    }

    /// The last object as it stands; `None` where it is no text.
    pub(crate) fn text(&self) -> Option<String> {
        self.charset.decode(&self.bytes).ok().map(|text| text.to_string())
    }

    /// The next row.
    pub(crate) fn step(&mut self) -> io::Result<Step> {
        let Some(line) = self.lines.next(&mut self.bytes)? else { return Ok(Step::End) };
        let at = line.number;
        if line.too_long {
            return Ok(Step::refused(at, format!("the line is longer than {} bytes", crate::line::LINE_BYTES_MAX)));
        }
        let Ok(text) = self.charset.decode(&self.bytes) else {
            return Ok(Step::refused(
                at,
                "the line holds bytes that are no text in the encoding of the file: set `encoding`",
            ));
        };
        if is_blank(&text) {
            return Ok(Step::Blank);
        }
        let document = serde_json::from_str::<Document>(&text);
        let object = match document.as_ref().map(Document::value) {
            Ok(object @ Value::Object(_)) => object,
            Ok(_) => return Ok(Step::refused(at, "the line is no JSON object: write one object on each line")),
            Err(error) if error.classify() == Category::Eof && !line.ended => {
                self.cut = Some(at);
                return Ok(Step::refused(
                    at,
                    "the file ends in the middle of this object: it was cut off; export it again",
                ));
            }
            Err(error) if error.classify() == Category::Data => {
                return Ok(Step::refused(at, "a key of the object is there twice: keep the one that counts"));
            }
            // The parser's own words may repeat what the line holds.
            Err(error) => {
                let words = format!("the line is no JSON at column {}: write one object on each line", error.column());
                return Ok(Step::refused(at, words));
            }
        };
        let cells: Result<Vec<String>, String> = self.names.iter().map(|name| cell(object, name)).collect();
        Ok(match cells {
            Ok(cells) => Step::Row(Row { line: at, cells, short: false }),
            Err(reason) => Step::refused(at, reason),
        })
    }
}

/// The value of one name as text; empty where there is none.
fn cell(object: &Value, name: &str) -> Result<String, String> {
    let value = if name.starts_with('/') { object.pointer(name) } else { object.get(name) };
    match value {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => Ok(cut(text)),
        Some(Value::Bool(flag)) => Ok(flag.to_string()),
        Some(Value::Number(number)) => exact(number)
            .ok_or_else(|| format!("`{name}` holds a number that not every reader keeps exactly: write it in quotes")),
        Some(Value::Array(_) | Value::Object(_)) => {
            Err(format!("`{name}` holds a list or an object: name a value inside it, such as \"/{name}/0\""))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(text: &[u8], names: &[&str]) -> (Vec<Step>, Option<u64>) {
        let charset = Charset::of(&mut io::Cursor::new(text), None).unwrap();
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        let mut objects = Objects::new(io::Cursor::new(text.to_vec()), charset, names);
        objects.go_to(Mark { offset: 0, number: 1 }, None).unwrap();
        let mut steps = Vec::new();
        loop {
            match objects.step().unwrap() {
                Step::End => return (steps, objects.cut()),
                step => steps.push(step),
            }
        }
    }

    fn row(line: u64, cells: &[&str]) -> Step {
        Step::Row(Row { line, cells: cells.iter().map(|cell| (*cell).to_owned()).collect(), short: false })
    }

    #[test]
    fn values_are_found_by_key_and_by_pointer_whatever_their_type() {
        let text =
            br#"{"email":"ada@example.org","contact":{"phones":["+33600000001"]},"no":18446744073709551615,"ok":true}
{"email":null}"#;
        let (steps, cut) = steps(text, &["email", "/contact/phones/0", "no", "ok"]);
        assert_eq!(steps[0], row(1, &["ada@example.org", "+33600000001", "18446744073709551615", "true"]));
        assert_eq!(steps[1], row(2, &["", "", "", ""]));
        assert_eq!(cut, None);
    }

    #[test]
    fn what_two_readers_could_take_for_two_things_is_set_aside() {
        let text = br#"{"email":"ada@example.org","ok":"no","email":"bob@example.org"}
{"email":"ada@example.org","more":{"a":1,"a":2}}
{"email":"ada@example.org","no":18446744073709551616}
{"email":"ada@example.org","no":18446744073709551617}
"#;
        for step in steps(text, &["email", "no"]).0 {
            assert!(matches!(&step, Step::Refused(refused) if !refused.reason.contains("example")), "{step:?}");
        }
    }

    #[test]
    fn an_object_cut_off_at_the_end_is_noticed_and_one_in_the_middle_is_only_set_aside() {
        let (all, cut) = steps(b"{\"email\":\"a\"\n{\"email\":\"b\"}\n{\"email\":\"c", &["email"]);
        assert!(matches!(all[..], [Step::Refused(_), Step::Row(_), Step::Refused(_)]));
        assert_eq!(cut, Some(3));
        assert_eq!(steps(b"{\"email\":\"a\"", &["email"]).1, Some(1));
        assert_eq!(steps(b"{\"email\":\"a\"\n", &["email"]).1, None);
    }

    #[test]
    fn what_is_no_flat_value_is_set_aside_without_repeating_it() {
        let deep = format!("{}1{}\n", "[".repeat(10_000), "]".repeat(10_000));
        let text = format!("{deep}[\"ada@example.org\"]\nada@example.org\n{{\"email\":[\"ada@example.org\"]}}\n");
        for step in steps(text.as_bytes(), &["email"]).0 {
            let Step::Refused(refused) = step else { panic!("a row came of it") };
            assert!(!refused.reason.contains("ada"), "{}", refused.reason);
        }
    }
}
