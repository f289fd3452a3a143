//! Figures of a plan in words: how long calls take, how many a platform allows, what the guard says.

use unisson_engine::{EffortOutlook, GuardOutlook};

use crate::gauge::percent;
use crate::screen::number;

/// What delivering takes, against what the platform allows.
pub(super) fn effort(effort: &EffortOutlook) -> String {
    let calls = counted(effort.calls, "call");
    let (Some(seconds), Some(limit)) = (effort.seconds, effort.limit_calls) else {
        return format!("{calls}; the platform states no limit that counts them");
    };
    let time = time(seconds);
    match (effort.limit_seconds, effort.assumed_call_ms) {
        (Some(per), _) => format!("{calls}: {time} at {}", rate(limit, per)),
        (None, Some(ms)) => {
            format!("{calls}: {time} with {} at a time, if one takes {}", number(limit), milliseconds(ms))
        }
        (None, None) => format!("{calls}: {time}"),
    }
}

/// A time as somebody plans with it.
fn time(seconds: u64) -> String {
    let about = |number: u64, unit: &str| format!("about {}", counted(number, unit));
    match seconds {
        0..=9 => "a few seconds".to_owned(),
        10..=99 => format!("about {} seconds", seconds.div_ceil(10) * 10),
        100..=5_399 => about(seconds.div_ceil(60), "minute"),
        5_400..=129_599 => about(seconds.div_ceil(3_600), "hour"),
        _ => about(seconds.div_ceil(86_400), "day"),
    }
}

/// A rate in the largest unit in which it is at least one.
fn rate(calls: u64, seconds: f64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "an allowance has few digits")]
    let each_second = calls as f64 / seconds.max(f64::MIN_POSITIVE);
    let units = [("s", 1.0), ("min", 60.0), ("h", 3_600.0)];
    let (unit, length) = units.into_iter().find(|(_, length)| each_second * length >= 1.0).unwrap_or(("day", 86_400.0));
    let rounded = format!("{:.1}", each_second * length);
    format!("{} calls/{unit}", rounded.strip_suffix(".0").unwrap_or(&rounded))
}

fn milliseconds(ms: u64) -> String {
    match ms {
        500 => "half a second".to_owned(),
        ms if ms.is_multiple_of(1_000) => counted(ms / 1_000, "second"),
        ms => format!("{ms} ms"),
    }
}

/// What the guard says; `None` where it has nothing to say.
pub(super) fn guard(guard: &GuardOutlook) -> Option<String> {
    let GuardOutlook { holds, contacts, of, count, share, held } = guard;
    let would = format!("{} of {} contacts would change", number(*contacts), number(*of));
    let mut words: Vec<String> =
        held.iter().map(|(run, changes)| format!("holds {} since run {run}", counted(*changes, "change"))).collect();
    match (*contacts, holds, held.is_empty()) {
        (0, ..) => {}
        (_, true, true) => {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of at most one")]
            let share = format!("{} %", (share.clamp(0.0, 1.0) * 100.0).round() as u64);
            words.push(format!(
                "would hold this: {would} ({}), more than {} and more than {share}",
                percent(*contacts, *of),
                number(*count)
            ));
        }
        (_, true, false) => words.push(would),
        (_, false, _) => words.push(format!("lets this pass: {would} ({})", percent(*contacts, *of))),
    }
    (!words.is_empty()).then(|| words.join("; "))
}

/// So many of something.
pub(super) fn counted(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{} {noun}s", number(count)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_told_with_their_time_and_what_the_platform_allows() {
        let ten = EffortOutlook {
            calls: 8_400,
            limit: Some("burst"),
            limit_calls: Some(100),
            limit_seconds: Some(10.0),
            seconds: Some(840),
            assumed_call_ms: None,
        };
        assert_eq!(effort(&ten), "8\u{202f}400 calls: about 14 minutes at 10 calls/s");
        let hourly = EffortOutlook { limit_seconds: Some(3_600.0), seconds: Some(302_400), ..ten.clone() };
        assert_eq!(effort(&hourly), "8\u{202f}400 calls: about 4 days at 1.7 calls/min");
        let at_once = EffortOutlook {
            limit_calls: Some(10),
            limit_seconds: None,
            seconds: Some(420),
            assumed_call_ms: Some(500),
            ..ten
        };
        assert_eq!(
            effort(&at_once),
            "8\u{202f}400 calls: about 7 minutes with 10 at a time, if one takes half a second"
        );
        let free = EffortOutlook { calls: 1, ..EffortOutlook::default() };
        assert_eq!(effort(&free), "1 call; the platform states no limit that counts them");
    }

    #[test]
    fn a_time_is_never_told_shorter_than_it_is() {
        let told = [0, 9, 10, 41, 99, 100, 5_399, 5_400, 86_400, 129_600].map(time);
        let expected = [
            "a few seconds",
            "a few seconds",
            "about 10 seconds",
            "about 50 seconds",
            "about 100 seconds",
            "about 2 minutes",
            "about 90 minutes",
            "about 2 hours",
            "about 24 hours",
            "about 2 days",
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn the_guard_is_told_with_the_figures_it_goes_by() {
        let found = |holds, contacts, held: &[(&str, u64)]| {
            let held = held.iter().map(|(run, changes)| ((*run).to_owned(), *changes)).collect();
            guard(&GuardOutlook { holds, contacts, of: 1_000, count: 100, share: 0.05, held })
        };
        assert_eq!(found(false, 0, &[]), None);
        assert_eq!(found(false, 20, &[]).unwrap(), "lets this pass: 20 of 1\u{202f}000 contacts would change (2 %)");
        assert_eq!(
            found(true, 200, &[]).unwrap(),
            "would hold this: 200 of 1\u{202f}000 contacts would change (20 %), more than 100 and more than 5 %"
        );
        assert_eq!(found(true, 0, &[("r", 7)]).unwrap(), "holds 7 changes since run r");
        let both = found(true, 3, &[("r", 7)]).unwrap();
        assert_eq!(both, "holds 7 changes since run r; 3 of 1\u{202f}000 contacts would change");
    }
}
