//! The last line of defence: free text of operators and platforms loses whatever reads as an address or a number.
//!
//! None of these texts may name a person, and whoever writes them is told so. A certificate is kept for years and shown to
//! others, so it does not rest on that alone.

/// The longest free text of a certificate, in characters; the rest is cut.
const TEXT_CHARS_MAX: usize = 1000;
/// From how many digits on a number could be dialled.
const DIGITS_MIN: usize = 9;
/// What stands in the place of what was taken out.
const MASK: &str = "[removed]";

/// The text without e-mail addresses and telephone numbers.
pub(crate) fn scrubbed(text: &str) -> String {
    let short: String = text.chars().filter(|c| !c.is_control() || *c == '\n').take(TEXT_CHARS_MAX).collect();
    let words: Vec<String> = short.split(' ').map(without_address).collect();
    without_number(&words.join(" "))
}

/// A word that holds an `@` between two visible characters is taken for an address.
fn without_address(word: &str) -> String {
    let holds = word.split(['\n', '\u{a0}']).any(|part| {
        let part = part.trim_matches(|c: char| !c.is_alphanumeric() && c != '@');
        part.contains(['@', '\u{ff20}']) && !part.starts_with('@') && !part.ends_with('@')
    });
    if holds { MASK.to_owned() } else { word.to_owned() }
}

/// A run of digits that begins with a plus or a zero, as a dialled number does, and is long enough.
fn without_number(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut before = ' ';
    while let Some(first) = rest.chars().next() {
        let length = if before.is_alphanumeric() { 0 } else { dialled(rest) };
        if length > 0 {
            out.push_str(MASK);
            rest = &rest[length..];
            before = '0';
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
            before = first;
        }
    }
    out
}

/// How many bytes of the beginning read as a dialled number; 0 where none.
fn dialled(text: &str) -> usize {
    if !text.starts_with(['+', '0', '(']) {
        return 0;
    }
    let is_part = |c: char| c.is_ascii_digit() || matches!(c, '+' | ' ' | '.' | '-' | '/' | '(' | ')' | '\u{a0}');
    let run = &text[..text.find(|c| !is_part(c)).unwrap_or(text.len())];
    let run = run.trim_end_matches(|c: char| !c.is_ascii_digit());
    if run.chars().filter(char::is_ascii_digit).count() >= DIGITS_MIN { run.len() } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_numbers_go() {
        for (text, left) in [
            ("asked by ada@example.org today", "asked by [removed] today"),
            ("asked by <ada@example.org>, twice", "asked by [removed] twice"),
            ("line\nada@example.org", "[removed]"),
            ("call +33 6 12 34 56 78 first", "call [removed] first"),
            ("call 06.12.34.56.78.", "call [removed]."),
            ("call (0)6 12 34 56 789", "call [removed]"),
        ] {
            assert_eq!(scrubbed(text), left);
        }
    }

    #[test]
    fn dates_provisions_and_handles_stay() {
        for text in
            ["closed on 2026-12-01 10:00:00", "C. com. L123-22", "file no. 123456789012", "see @list", "07/2026"]
        {
            assert_eq!(scrubbed(text), text);
        }
    }

    #[test]
    fn a_text_without_end_is_cut() {
        assert_eq!(scrubbed(&"x".repeat(5000)).len(), TEXT_CHARS_MAX);
    }
}
