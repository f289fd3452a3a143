//! Paths: one segment made safe, a whole path checked, and a path shown without the people in it.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What may stand in a segment as it is: the unreserved characters of RFC 3986, 2.3.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// What stands for a text that no segment can hold; no path with it is ever sent.
const IMPOSSIBLE: &str = "%";
/// The longest word of a path that is shown.
const WORD_BYTES_MAX: usize = 32;
/// The most digits that a version in a path has.
const VERSION_DIGITS_MAX: usize = 8;

/// One segment of a path, percent-encoded.
///
/// Nothing, `.` and `..` are no segments: encoded or not, they would change which resource is meant. They become a lone
/// `%`, and a call to a path with that fails with [`ErrorKind::Bounds`](unisson_connector::ErrorKind::Bounds) before
/// anything is sent.
///
/// ```
/// use unisson_sdk::segment;
/// assert_eq!(segment("a b/c@example.org"), "a%20b%2Fc%40example.org");
/// assert_eq!(segment(".."), "%");
/// ```
pub fn segment(text: &str) -> String {
    match text {
        "" | "." | ".." => IMPOSSIBLE.to_owned(),
        text => utf8_percent_encode(text, SEGMENT).to_string(),
    }
}

/// What is wrong with a path to add to a base address, if anything.
pub(crate) fn fault(path: &str) -> Option<&'static str> {
    let Some(rest) = path.strip_prefix('/') else { return Some("a path that does not start with a slash") };
    if rest.bytes().any(|byte| !(b'!'..=b'~').contains(&byte)) {
        return Some("a path with a space or a character that needs `segment`");
    }
    if rest.contains(['?', '#', '\\']) {
        return Some("a path with a query: use `Call::query`");
    }
    if rest.split('%').skip(1).any(|after| !starts_with_two_hex_digits(after)) {
        return Some("a path with a segment that is empty or no segment at all");
    }
    let (inner, last) = rest.rsplit_once('/').map_or((None, rest), |(inner, last)| (Some(inner), last));
    if inner.is_some_and(|inner| inner.split('/').any(str::is_empty)) {
        return Some("a path with an empty segment");
    }
    let climbs = inner.into_iter().flat_map(|inner| inner.split('/')).chain([last]).any(is_dots);
    climbs.then_some("a path with a dot segment")
}

/// The path with every segment hidden that is neither a plain word nor a version: addresses, hashes, ids.
pub(crate) fn redacted(path: &str) -> String {
    path.split('/')
        .map(|segment| if is_plain(segment) { segment } else { hidden(segment) })
        .collect::<Vec<_>>()
        .join("/")
}

fn starts_with_two_hex_digits(text: &str) -> bool {
    text.len() >= 2 && text.bytes().take(2).all(|byte| byte.is_ascii_hexdigit())
}

/// Whether a parser of addresses would take the segment for `.` or `..` (the URL standard also sees `%2e`).
fn is_dots(segment: &str) -> bool {
    matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..")
}

/// Whether a segment is a word of the interface, such as `members` or `batch-read`, or a version, such as `v3`, `3.0`
/// or `2026-03`.
fn is_plain(segment: &str) -> bool {
    let is_word = segment.len() <= WORD_BYTES_MAX
        && segment.bytes().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'_'))
        && !looks_like_a_hash(segment);
    is_word || is_version(segment)
}

fn is_version(segment: &str) -> bool {
    let numbers = segment.strip_prefix('v').unwrap_or(segment);
    let digits = numbers.bytes().filter(u8::is_ascii_digit).count();
    let parts = numbers.split(['.', '-']);
    let short =
        parts.clone().all(|part| !part.is_empty() && part.len() <= 4 && part.bytes().all(|byte| byte.is_ascii_digit()));
    let dated_or_short = parts.count() > 1 || digits <= 2;
    short && dated_or_short && digits <= VERSION_DIGITS_MAX
}

fn looks_like_a_hash(segment: &str) -> bool {
    segment.len() >= 16 && segment.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn hidden(segment: &str) -> &'static str {
    let lower = segment.to_ascii_lowercase();
    if lower.contains('@') || lower.contains("%40") {
        return "{address}";
    }
    if looks_like_a_hash(segment) { "{hash}" } else { "{id}" }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn l02_what_may_name_a_person_is_hidden_in_a_path() {
        let shown = |path| redacted(path);
        assert_eq!(shown("/3.0/lists/a6b5da1054/members"), "/3.0/lists/{id}/members");
        assert_eq!(shown("/contacts/jane@example.org"), "/contacts/{address}");
        assert_eq!(shown("/contacts/jane%40example.org"), "/contacts/{address}");
        assert_eq!(shown("/members/62eeb292278cc15f5817cb78f7790b08"), "/members/{hash}");
        assert_eq!(shown("/members/abcdefabcdefabcdef"), "/members/{hash}");
        assert_eq!(shown("/crm/objects/2026-03/contacts/4711"), "/crm/objects/2026-03/contacts/{id}");
        assert_eq!(shown("/phones/+4930901820"), "/phones/{id}");
        assert_eq!(shown("/phones/030-901820-12"), "/phones/{id}");
        assert_eq!(shown("/names/jane.doe"), "/names/{id}");
        assert_eq!(shown("/crm/v3/objects/contacts/batch/read"), "/crm/v3/objects/contacts/batch/read");
    }

    #[test]
    fn a_path_that_would_mean_another_resource_has_a_fault() {
        for path in
            ["contacts", "/a?b=1", "/a#b", "/a\\b", "/a//b", "/a/../b", "/a/%2e%2E", "/a/.", "/a/%", "/a/%2", "/a b"]
        {
            assert!(fault(path).is_some(), "{path}");
        }
        for path in ["/", "/a", "/a/", "/a/b%20c", "/a/jane%40example.org", "/a/...", "/a/b.c"] {
            assert_eq!(fault(path), None, "{path}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_one_segment_or_none(text in any::<String>()) {
            let path = format!("/a/{}/b", segment(&text));
            let sent = fault(&path).is_none();
            prop_assert_eq!(sent, !matches!(text.as_str(), "" | "." | ".."));
            if sent {
                let url = url::Url::parse(&format!("https://api.example.org{path}")).unwrap();
                let parts = url.path_segments().unwrap().collect::<Vec<_>>();
                prop_assert_eq!(parts.len(), 3);
                let decoded = percent_encoding::percent_decode_str(parts[1]).decode_utf8().unwrap().into_owned();
                prop_assert_eq!(decoded, text);
            }
        }
    }
}
