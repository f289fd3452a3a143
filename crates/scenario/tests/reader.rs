//! What an author wrote wrong is refused with its line, its place and what to write instead.

use std::path::Path;

use unisson_scenario::{ReadError, read_text};

/// A file of one scenario whose observation, push and expectation can be replaced.
struct Written {
    top: &'static str,
    scenario: &'static str,
    observation: &'static str,
    expectation: &'static str,
}

const PLAIN: Written = Written {
    top: "schema: consent-scenarios/1",
    scenario: "",
    observation: "id: a, sys: web, obs: \"2026-05-02T08:05:00Z\", ev: withdraw, who: {email: ada@example.org}",
    expectation: "key: {address: ada@example.org, purpose: newsletter, channel: email}, decision: deny",
};

impl Written {
    fn text(&self) -> String {
        let Self { top, scenario, observation, expectation } = self;
        format!(
            "{top}\nscenarios:\n- id: one\n  {scenario}\n  observations:\n    - {{{observation}}}\n    - {{{}}}\n  expect:\n    - {{{expectation}}}\n",
            "id: z, sys: web, obs: \"2026-05-02T08:05:00Z\", ev: delivered"
        )
    }

    /// Everything that is wrong, as it is shown.
    fn refused(&self) -> String {
        match read_text(Path::new("mine.yaml"), &self.text()) {
            Err(ReadError::Refused { defect, .. }) => defect.to_string(),
            Err(other) => other.to_string(),
            Ok(suite) => suite
                .rejects
                .iter()
                .flat_map(|reject| &reject.defects)
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("\n"),
        }
    }
}

/// What is said of an observation.
fn observation(observation: &'static str) -> String {
    Written { observation, ..PLAIN }.refused()
}

/// What is said of an expectation.
fn expectation(expectation: &'static str) -> String {
    Written { expectation, ..PLAIN }.refused()
}

/// What is said of keys of the scenario itself.
fn scenario(scenario: &'static str) -> String {
    Written { scenario, ..PLAIN }.refused()
}

/// What is said of the top of the file.
fn top(top: &'static str) -> String {
    Written { top, ..PLAIN }.refused()
}

#[test]
fn what_is_written_right_is_taken() {
    assert_eq!(PLAIN.refused(), "");
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest_one() {
    assert_eq!(
        observation("id: a, sys: web, obs: \"2026-05-02T08:05:00Z\", ev: withdraw, scope: {chanels: [email]}"),
        "line 6: scenario one: observations[a].scope.chanels: is not known here; did you mean `channels`? known are \
         purposes, list, channels"
    );
    let said = scenario("titel: x");
    assert!(said.starts_with("line 4: scenario one: titel: is not known here; did you mean `title`?"), "{said}");
    let said = scenario("policy: {regrant_level: {widthdraw: 4}}");
    assert!(
        said.starts_with("line 4: scenario one: policy.regrant_level.widthdraw: is not known here; did you"),
        "{said}"
    );
    let said = top("schema: consent-scenarios/1\ndefaults: {polcy: {}}");
    assert!(said.starts_with("line 2: defaults.polcy: is not known here; did you mean `policy`?"), "{said}");
    let said = top("schema: consent-scenarios/1\ndefualts: {}");
    assert!(said.starts_with("line 2: defualts: is not known here; did you mean `defaults`?"), "{said}");
}

#[test]
fn an_unknown_word_is_refused_with_what_is_known() {
    let said = observation("id: a, sys: web, obs: \"2026-05-02T08:05:00Z\", ev: widthdraw");
    assert!(
        said.starts_with(
            "line 6: scenario one: observations[a].ev: `widthdraw` is no kind of observation; did you mean `withdraw`?"
        ),
        "{said}"
    );
    assert_eq!(
        expectation("key: {address: ada@example.org, purpose: newsletter, channel: email}, decision: maybe"),
        "line 9: scenario one: expect[0].decision: `maybe` is no decision; known are allow, ask, deny"
    );
    let said = expectation(
        "key: {address: ada@example.org, purpose: newsletter, channel: email}, decision: deny, actions: {crm: [supress]}",
    );
    assert!(said.contains("expect[0].actions.crm[0]: `supress` is no verb; did you mean `suppress`?"), "{said}");
    let said = observation("id: a, sys: web, obs: \"2026-05-02T08:05:00Z\", ev: relationship, what: sales");
    assert!(said.contains("observations[a].what: `sales` is no relation; did you mean `sale`?"), "{said}");
    let said = observation("id: a, sys: web, obs: \"2026-05-02T08:05:00Z\", ev: grant, evidence: dio");
    assert!(said.contains("observations[a].evidence: names no preset: `dio`; did you mean `doi`?"), "{said}");
}

#[test]
fn a_time_that_is_none_is_refused_with_an_example() {
    assert_eq!(
        observation("id: a, sys: web, obs: 2026-05-02, ev: withdraw"),
        "line 6: scenario one: observations[a].obs: `2026-05-02` is no moment; write it with its zone, such as \
         2026-11-23T00:00:00Z"
    );
    let said = observation("id: a, sys: web, obs: \"2026-05-02T08:05:00Z\", at: yesterday, ev: withdraw");
    assert!(said.contains("observations[a].at: `yesterday` is no time; write 2026-05-02T08:05:00Z,"), "{said}");
    assert!(
        scenario("now: soon").starts_with("line 4: scenario one: now: `soon` is no moment"),
        "{}",
        scenario("now: soon")
    );
    let said = scenario("systems: {web: {tz: Europe/Pairs}}");
    assert!(said.contains("systems.web.tz: `Europe/Pairs` is no time zone"), "{said}");
}

#[test]
fn what_is_missing_is_named() {
    assert_eq!(observation("id: a, sys: web, ev: withdraw"), "line 6: scenario one: observations[a]: lacks `obs`");
    assert_eq!(
        observation("id: a, sys: web, obs: \"2026-05-02T08:05:00Z\", ev: snapshot"),
        "line 6: scenario one: observations[a]: lacks `status`"
    );
    let said = top("defaults: {}");
    assert_eq!(said, "line 1: lacks `schema`");
    assert_eq!(
        top("schema: consent-scenarios/2"),
        "line 1: schema: is `consent-scenarios/2`; this program reads consent-scenarios/1"
    );
}

#[test]
fn a_name_that_leads_nowhere_is_refused_with_those_that_lead_somewhere() {
    let said = observation("id: a, sys: ep2, obs: \"2026-05-02T08:05:00Z\", ev: withdraw");
    assert!(said.contains("observations[a].sys: names no system: `ep2`; did you mean `esp2`?"), "{said}");
    assert_eq!(
        observation("id: a, sys: web, obs: \"2026-05-02T08:05:00Z\", ev: annul, targets: [z, b], approvers: [x, y]"),
        "line 6: scenario one: observations[a].targets[1]: names no observation: `b`; did you mean `a`? known are a, z"
    );
    let said = observation("id: a, sys: web, obs: \"2026-05-02T08:05:00Z\", ev: withdraw, echo_of: p1");
    assert!(said.contains("observations[a].echo_of: names no push of the scenario: `p1`; none is known"), "{said}");
    let said = observation("id: a, sys: web, obs: \"2026-05-02T08:05:00Z\", ev: link, records: [[crm, c1], [cmr, c2]]");
    assert!(said.contains("observations[a].records[1][0]: names no system: `cmr`; did you mean `crm`?"), "{said}");
    let said = expectation("key: {address: ada@example.org, purpose: newsleter, channel: email}, decision: deny");
    assert!(
        said.contains("expect[0].key.purpose: names no purpose: `newsleter`; did you mean `newsletter`?"),
        "{said}"
    );
    let said = scenario("policy: {lineage: {old: [newsleter]}}");
    assert!(said.contains("policy.lineage.old[0]: names no purpose"), "{said}");
    let said = scenario("purposes: {a: {family: dm, parent: b}, b: {family: dm, parent: a}}");
    assert!(said.contains("purposes.a.parent: leads in a circle"), "{said}");
}

#[test]
fn a_field_of_another_kind_of_observation_is_refused() {
    assert_eq!(
        observation("id: a, sys: web, obs: \"2026-05-02T08:05:00Z\", ev: grant, status: subscribed"),
        "line 6: scenario one: observations[a].status: says nothing of `grant`; it belongs to snapshot"
    );
    let said = observation("id: a, sys: web, obs: \"2026-05-02T08:05:00Z\", ev: withdraw, verified: true");
    assert!(said.contains("says nothing of `withdraw`; it belongs to erase_request, address_change"), "{said}");
}

#[test]
fn a_value_of_the_wrong_form_is_refused_with_the_right_one() {
    let cases = [
        (scenario("policy: {required_level: 6}"), "policy.required_level: 6 is no level of evidence; known are 0 to 5"),
        (scenario("policy: {push_grants: maybe}"), "policy.push_grants: needs true or false, not `maybe`"),
        (
            scenario("policy: {inactivity_days: 3e9}"),
            "policy.inactivity_days: needs a whole number from zero up, not text",
        ),
        (scenario("policy: {inactivity_days: 999999}"), "policy.inactivity_days: 999999 days are too long"),
        (scenario("systems: [web]"), "systems: needs a table such as {key: value}, not a list"),
        (scenario("policy: {country: France}"), "policy.country: `France` is no country"),
        (
            observation("id: a, sys: web, obs: \"2026-05-02T08:05:00Z\", ev: link, records: [crm, c1]"),
            "observations[a].records[0]: needs a list, not text",
        ),
        (
            observation("id: a, sys: web, obs: \"2026-05-02T08:05:00Z\", ev: link, records: [[crm], [crm, c1]]"),
            "observations[a].records[0]: needs a system and a record of it, such as [crm, c1]",
        ),
        (
            observation(
                "id: a, sys: csv, obs: \"2026-05-02T08:05:00Z\", ev: withdraw, who: {email_hash: {alg: sha256, value: ab12}}",
            ),
            "observations[a].who.email_hash.value: is no digest of 32 bytes; write 64 hexadecimal digits",
        ),
        (
            observation("id: a, sys: web, obs: \"2026-05-02T08:05:00Z\", ev: withdraw, scope: {channels: [fax]}"),
            "observations[a].scope.channels[0]: `fax` is no channel; known are email,",
        ),
        (
            observation(
                "id: a, sys: web, obs: \"2026-05-02T08:05:00Z\", ev: withdraw, scope: {list: L, purposes: all_dm}",
            ),
            "observations[a].scope: names purposes and a list",
        ),
        (observation("id: z, sys: web, obs: \"2026-05-02T08:05:00Z\", ev: withdraw"), "is the id of two observations"),
        (
            expectation("key: {address: \"  \", purpose: newsletter, channel: email}, decision: deny"),
            "expect[0].key.address: is blank",
        ),
    ];
    for (said, wanted) in cases {
        assert!(said.contains(wanted), "{said:?} should say {wanted:?}");
    }
}

#[test]
fn a_file_that_tests_nothing_is_refused() {
    let none = read_text(Path::new("mine.yaml"), "schema: consent-scenarios/1\nscenarios: []").unwrap_err();
    assert!(none.to_string().contains("line 2: scenarios: is empty"), "{none}");
    let idle = "schema: consent-scenarios/1\nscenarios:\n- {id: a, expect: []}";
    let suite = read_text(Path::new("mine.yaml"), idle).unwrap();
    assert!(suite.rejects[0].defects[0].problem.contains("could never fail"));
}

#[test]
fn one_wrong_scenario_does_not_hide_the_others() {
    let right =
        "{id: b, expect: [{key: {address: ada@example.org, purpose: newsletter, channel: email}, decision: deny}]}";
    let text = format!(
        "schema: consent-scenarios/1\nscenarios:\n- {{id: a, expct: []}}\n- {right}\n- {right}\n- {{title: x}}"
    );
    let suite = read_text(Path::new("mine.yaml"), &text).unwrap();
    assert_eq!(suite.scenarios.len(), 1);
    let rejects: Vec<(&str, String)> =
        suite.rejects.iter().map(|reject| (reject.id.as_str(), reject.defects[0].to_string())).collect();
    assert!(
        rejects[0].1.starts_with("line 3: scenario a: expct: is not known here; did you mean `expect`?"),
        "{rejects:?}"
    );
    assert!(
        rejects[1].1.contains("line 5: scenario b: id: is the id of two scenarios, the other is on line 4"),
        "{rejects:?}"
    );
    assert!(rejects[2].1.starts_with("line 6: scenarios[3]: lacks `id`"), "{rejects:?}");
}

#[test]
fn what_is_no_yaml_is_refused_with_its_line_and_without_its_text() {
    let error = read_text(Path::new("mine.yaml"), "schema: consent-scenarios/1\nscenarios: [{who: ada@example.org]")
        .unwrap_err();
    let said = error.to_string();
    assert!(said.starts_with("understand mine.yaml: line 2: this is no YAML: "), "{said}");
    assert!(!said.contains("ada@"), "{said}");
}
