//! Bars in tables: a share as blocks, and several shares as one bar. Colour is the painter's; a bar reads without it.

use comfy_table::Table;

/// Eighths of a block, from none to seven.
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// The widest bar, in columns.
const WIDTH_MAX: usize = 32;
/// The narrowest bar.
const WIDTH_MIN: usize = 8;
/// The bar where nobody knows how wide the reader's page is.
const WIDTH_PIPED: usize = 24;

/// How wide bars may be in the last, still empty column of a table, so that no line is broken; nothing where there is no
/// room.
pub(crate) fn room(table: &Table) -> usize {
    let held = table.column_max_content_widths();
    width(table.width(), &held)
}

/// How wide bars may be in an empty one of columns of these widths, on a terminal of so many; `None` where there is none.
pub(crate) fn width(terminal: Option<u16>, held: &[u16]) -> usize {
    let Some(terminal) = terminal else { return WIDTH_PIPED };
    // A blank stands on both sides of each column.
    let taken: usize = held.iter().map(|width| usize::from(*width) + 2).sum();
    let left = usize::from(terminal).saturating_sub(taken);
    if left < WIDTH_MIN { 0 } else { left.min(WIDTH_MAX) }
}

/// A share of a whole as a bar of at most `width` columns. Whatever is not nothing can be seen.
pub(crate) fn bar(part: u64, whole: u64, width: usize) -> String {
    if part == 0 || whole == 0 || width == 0 {
        return String::new();
    }
    let eighths = (u128::from(part.min(whole)) * (width as u128) * 8).div_ceil(u128::from(whole));
    let eighths = usize::try_from(eighths).unwrap_or(width * 8);
    let mut bar = "█".repeat(eighths / 8);
    bar.push_str(EIGHTHS[eighths % 8]);
    bar
}

/// How many columns each of several parts gets in one bar of `width` columns: all of them together fill it, and whatever is
/// not nothing can be seen as long as there is room.
pub(crate) fn split(parts: &[u64], width: usize) -> Vec<usize> {
    let whole: u128 = parts.iter().map(|part| u128::from(*part)).sum();
    if whole == 0 {
        return vec![0; parts.len()];
    }
    let scaled = |part: u64| u128::from(part) * width as u128;
    let mut columns: Vec<usize> =
        parts.iter().map(|part| usize::try_from(scaled(*part) / whole).unwrap_or(width)).collect();
    let mut left = width.saturating_sub(columns.iter().sum());
    // What would not be seen comes first, then what lost most to rounding.
    let mut order: Vec<usize> = (0..parts.len()).filter(|place| parts[*place] > 0).collect();
    order.sort_by_key(|place| (columns[*place] > 0, std::cmp::Reverse(scaled(parts[*place]) % whole), *place));
    for place in order {
        if left > 0 {
            columns[place] += 1;
            left -= 1;
        } else if columns[place] == 0
            && let Some(widest) = (0..columns.len()).max_by_key(|place| columns[*place])
            && columns[widest] > 1
        {
            columns[widest] -= 1;
            columns[place] = 1;
        }
    }
    columns
}

/// A share in whole percent; what is not nothing is never told as nothing, nor a part as all.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    if part == 0 || whole == 0 {
        return "0 %".to_owned();
    }
    let rounded = (u128::from(part) * 200 + u128::from(whole)) / (u128::from(whole) * 2);
    match rounded {
        0 => "< 1 %".to_owned(),
        100 if part < whole => "> 99 %".to_owned(),
        percent => format!("{percent} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_long_as_its_share() {
        assert_eq!(bar(1, 2, 8), "████");
        assert_eq!(bar(1, 16, 8), "▌");
        assert_eq!(bar(5, 5, 8), "████████");
        assert_eq!(bar(9, 5, 8), "████████", "never longer than all");
    }

    #[test]
    fn whatever_is_not_nothing_can_be_seen() {
        assert_eq!(bar(1, u64::MAX, 8), "▏");
        assert_eq!((bar(0, 5, 8), bar(3, 0, 8)), (String::new(), String::new()));
        assert_eq!(split(&[1, 1_000_000, 1, 0], 8), [1, 6, 1, 0]);
    }

    #[test]
    fn a_split_fills_its_width() {
        for parts in [&[1, 2, 3][..], &[7, 0, 7, 7], &[u64::MAX, 1, u64::MAX], &[5]] {
            for width in 4..40 {
                assert_eq!(split(parts, width).iter().sum::<usize>(), width, "{parts:?} in {width}");
            }
        }
        assert_eq!(split(&[0, 0], 8), [0, 0]);
    }

    #[test]
    fn shares_are_never_rounded_to_nothing_or_to_all() {
        let told =
            [(0, 10), (1, 1_000), (1, 3), (999, 1_000), (7, 7), (1, 0)].map(|(part, whole)| percent(part, whole));
        assert_eq!(told, ["0 %", "< 1 %", "33 %", "> 99 %", "100 %", "0 %"]);
    }

    #[test]
    fn bars_take_the_room_that_is_left_and_no_more() {
        let beside = |terminal| width(terminal, &[20, 10, 0]);
        assert_eq!([Some(20), Some(43), Some(44), Some(60), Some(400), None].map(beside), [0, 0, 8, 24, 32, 24]);
    }
}
