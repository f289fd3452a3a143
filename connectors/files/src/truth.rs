//! Yes and no in the words that exports use.

/// Words for yes, in lower case.
const YES: [&str; 13] = ["true", "t", "yes", "y", "1", "on", "x", "oui", "vrai", "ja", "wahr", "si", "sí"];
/// Words for no, in lower case.
const NO: [&str; 10] = ["false", "f", "no", "n", "0", "off", "non", "faux", "nein", "falsch"];

/// What a cell says; `None` where it says nothing or something else.
pub(crate) fn truth(cell: &str) -> Option<bool> {
    let word = cell.trim().to_lowercase();
    if YES.contains(&word.as_str()) {
        Some(true)
    } else if NO.contains(&word.as_str()) {
        Some(false)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::truth;

    #[test]
    fn only_known_words_are_yes_or_no() {
        assert_eq!([truth(" Oui "), truth("0"), truth(""), truth("perhaps")], [Some(true), Some(false), None, None]);
    }
}
