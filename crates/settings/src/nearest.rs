//! The known name that a mistyped one was probably meant to be.

/// The longest piece of a name that is compared or repeated.
const SHOWN_CHARS_MAX: usize = 64;

/// How many known names a message lists at most.
const LISTED_MAX: usize = 40;

/// The nearest of the known names, if one is near enough to be meant.
pub(crate) fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Names are short; a text far longer than any of them is no misspelling.
    let given: String = given.chars().take(SHOWN_CHARS_MAX).collect::<String>().to_lowercase();
    known
        .into_iter()
        .map(|name| (strsim::osa_distance(&given, &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= (name.chars().count() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// A given name as a message may repeat it: short, and without control characters.
pub(crate) fn shown(given: &str) -> String {
    let mut text: String = given.chars().take(SHOWN_CHARS_MAX).flat_map(char::escape_debug).collect();
    if given.chars().nth(SHOWN_CHARS_MAX).is_some() {
        text.push('…');
    }
    text
}

/// How a message ends that refused a name: the nearest known one, and the known ones as far as they fit.
pub(crate) fn instead(given: &str, known: &[&str]) -> String {
    let mut all = known.iter().take(LISTED_MAX).copied().collect::<Vec<_>>().join(", ");
    if known.len() > LISTED_MAX {
        all += ", …";
    }
    match nearest(given, known.iter().copied()) {
        Some(name) if known.len() == 1 => format!("did you mean `{name}`?"),
        Some(name) => format!("did you mean `{name}`? known are {all}"),
        None if known.len() == 1 => format!("known is {all}"),
        None => format!("known are {all}"),
    }
}
