//! Scenario files: each scenario is understood or refused with its place, and every order of telling gives one answer.

use std::path::Path;

use unisson_scenario::{Options, play, read_text};

use super::silence::is_bounded;

/// Words that scenario files are made of.
pub const WORDS: &[&[u8]] = &[
    b"schema: consent-scenarios/1\n",
    b"scenarios:\n",
    b"- id: x\n",
    b"  observations:\n",
    b"  expect:\n",
    b"  pushes:\n",
    b"    - {id: a, sys: web, who: {email: ada@example.org}, obs: \"2026-05-02T08:05:00Z\", ev: withdraw}\n",
    b"    - {key: {address: ada@example.org, purpose: newsletter, channel: email}, decision: deny}\n",
    b"defaults:\n",
    b"  policy: {}\n",
    b"ev: grant",
    b"ev: bounce, code: 5.1.1",
    b"at: 2220-01-01",
    b"rec: r1",
    b"&x ",
    b"*x",
    b"<<: *x",
    b"!!binary ",
    b"? ",
    b"|\n",
    b">\n",
    b"---\n",
    b"...\n",
    b"[",
    b"]",
    b"{",
    b"}",
    b": ",
    b"- ",
    b"~",
    b"\t",
    b".inf",
    b"0x1F",
    b"1_000",
    b"scope: {purposes: all_dm, channels: [email]}",
    b"actor: guardian",
    b"echo_of: p",
];

/// How many scenarios of one file are played, and with how many observations at most.
const PLAYED_MAX: usize = 3;
const OBSERVED_MAX: usize = 24;

/// Reads text as a scenario file and plays what is in it.
///
/// # Panics
/// Where a promise is broken.
pub fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let suite = match read_text(Path::new("fuzz.yaml"), text) {
        Ok(suite) => suite,
        Err(error) => return is_bounded(&error.to_string()),
    };
    assert!(!suite.scenarios.is_empty() || !suite.rejects.is_empty(), "a file that is taken holds something");
    for reject in &suite.rejects {
        assert!(!reject.defects.is_empty(), "what is refused says why");
        reject.defects.iter().for_each(|defect| is_bounded(&defect.to_string()));
    }
    let small = suite.scenarios.iter().filter(|scenario| scenario.observed.len() <= OBSERVED_MAX);
    for scenario in small.take(PLAYED_MAX) {
        assert!(!scenario.expectations.is_empty(), "a scenario that cannot fail proves nothing");
        for failure in play(scenario, &Options::default()) {
            assert!(failure.order.is_none(), "the order of telling matters: {failure:?}");
        }
    }
}
