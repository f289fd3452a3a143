//! Telephone numbers that ring nowhere: the ranges regulators keep for film and fiction.

/// The American area codes whose `555-0100` to `555-0199` are used; those numbers are reserved in every area code.
const AREAS: [u32; 20] =
    [201, 202, 206, 212, 213, 214, 215, 301, 303, 305, 312, 313, 314, 404, 412, 415, 503, 512, 617, 702];

/// French landline prefixes that ARCEP keeps for audiovisual works, without the leading zero; four digits follow.
const LANDLINES: [u32; 5] = [19_900, 26_191, 35_301, 46_571, 53_649];

/// A mobile or office number of this country in E.164 form, or `None` where the country's fictional range is exhausted
/// or does not exist. Two different ordinals never share a number.
pub(super) fn number(country: &str, ordinal: u32) -> Option<String> {
    match country {
        // ARCEP: 06 39 98 00 00 to 06 39 98 99 99
        "FR" => (ordinal < 10_000).then(|| format!("+3363998{ordinal:04}")),
        // Ofcom: 07700 900000 to 900999
        "GB" => (ordinal < 1_000).then(|| format!("+447700900{ordinal:03}")),
        // Bundesnetzagentur: 030 23125 000 to 999
        "DE" => (ordinal < 1_000).then(|| format!("+493023125{ordinal:03}")),
        "US" => {
            let area = AREAS.get(usize::try_from(ordinal / 100).ok()?)?;
            Some(format!("+1{area}55501{:02}", ordinal % 100))
        }
        _ => None,
    }
}

/// A French landline number in E.164 form. The range holds 50,000 numbers; beyond that, people share them.
pub(super) fn landline(index: u32) -> String {
    let slot = index % 50_000;
    let prefix = LANDLINES[slot as usize / 10_000];
    format!("+33{prefix}{:04}", slot % 10_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_one_country_never_repeat() {
        for country in ["FR", "GB", "DE", "US"] {
            let all: Vec<_> = (0..12_000).filter_map(|ordinal| number(country, ordinal)).collect();
            let distinct: std::collections::BTreeSet<_> = all.iter().collect();
            assert_eq!(distinct.len(), all.len(), "{country}");
            assert!(all.len() >= 1_000);
        }
    }

    #[test]
    fn landlines_have_nine_national_digits() {
        assert!([0, 9_999, 10_000, 49_999, 50_000].iter().all(|index| landline(*index).len() == 12));
    }
}
