//! Finding columns by their names.

use thiserror::Error;

/// Why a column is not found. Only the name from the settings is ever shown: a file without header holds people there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum Missing {
    /// No column of that name.
    #[error("no column has this name: spell it as the header does, or set header = false if the first row is data")]
    Absent,
    /// Several.
    #[error("several columns have this name: give them different names in the file")]
    Ambiguous,
    /// No such number.
    #[error("the first row has fewer columns: set `separator`")]
    Beyond,
}

/// Where the column of this name is in the first row: by name, exactly or but for case, or by number from one.
pub(crate) fn find(first: &[String], header: bool, name: &str) -> Result<usize, Missing> {
    if !header {
        let at = name.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        return at.filter(|at| *at < first.len()).ok_or(Missing::Beyond);
    }
    let trimmed = |text: &str| text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}').to_owned();
    let name = trimmed(name);
    let exact = only(first, |cell| trimmed(cell) == name);
    match exact {
        Err(Missing::Absent) => only(first, |cell| trimmed(cell).to_lowercase() == name.to_lowercase()),
        found => found,
    }
}

fn only(first: &[String], fits: impl Fn(&String) -> bool) -> Result<usize, Missing> {
    let mut found = first.iter().enumerate().filter(|(_, cell)| fits(cell)).map(|(at, _)| at);
    match (found.next(), found.next()) {
        (Some(at), None) => Ok(at),
        (None, _) => Err(Missing::Absent),
        (Some(_), Some(_)) => Err(Missing::Ambiguous),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exact_name_goes_before_one_of_another_case_and_two_alike_are_refused() {
        let first: Vec<String> = ["\u{feff}Email ", "EMAIL", "a", "a"].into_iter().map(str::to_owned).collect();
        assert_eq!(find(&first, true, "Email"), Ok(0));
        assert_eq!(find(&first, true, "email"), Err(Missing::Ambiguous));
        assert_eq!(find(&first, true, "a"), Err(Missing::Ambiguous));
        assert_eq!(find(&first, true, "phone"), Err(Missing::Absent));
        assert_eq!((find(&first, false, "4"), find(&first, false, "5")), (Ok(3), Err(Missing::Beyond)));
    }
}
