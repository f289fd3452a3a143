//! Text inside a page: what others wrote stays text, reads in its own direction, and hides nothing.

use std::fmt::{self, Display, Write as _};

/// A text that is written into a page so that no reader can take it for markup.
///
/// Control characters and those that override the direction of writing are shown as what they are instead of being
/// obeyed: they could make the page say something else than the data. Right for content and for quoted attributes.
pub(crate) struct Escaped<'a>(pub(crate) &'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            '\'' => f.write_str("&#39;"),
            '\n' | '\t' => f.write_char(c),
            '\u{0}'..='\u{1f}' => f.write_char(char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}')),
            '\u{7f}' => f.write_char('\u{2421}'),
            // Controls, overrides and isolates, and what is no character at all in a page.
            '\u{80}'..='\u{9f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => shown(f, c),
            '\u{fdd0}'..='\u{fdef}' => shown(f, c),
            _ if u32::from(c) & 0xfffe == 0xfffe => shown(f, c),
            _ => f.write_char(c),
        })
    }
}

fn shown(f: &mut fmt::Formatter<'_>, c: char) -> fmt::Result {
    write!(f, "\u{27e8}U+{:04X}\u{27e9}", u32::from(c))
}

/// A text of others: escaped, and isolated so that its direction does not reorder what stands around it.
pub(crate) struct Foreign<'a>(pub(crate) &'a str);

impl Display for Foreign<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<bdi>{}</bdi>", Escaped(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_becomes_text() {
        let text = Escaped(r#"<script>alert("1")</script>&amp;'"#).to_string();
        assert_eq!(text, "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;amp;&#39;");
    }

    #[test]
    fn what_turns_the_line_around_is_shown_instead_of_obeyed() {
        assert_eq!(Escaped("a\u{202e}b\u{2069}c").to_string(), "a⟨U+202E⟩b⟨U+2069⟩c");
        assert_eq!(Escaped("a\0b\rc\u{7f}").to_string(), "a␀b␍c␡");
    }

    #[test]
    fn letters_of_every_script_stay() {
        let text = "Zoë Ünal, مرحبا, 山田\u{200d}太郎\nsecond line";
        assert_eq!(Escaped(text).to_string(), text);
    }
}
