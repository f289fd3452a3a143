//! The state table of the consent model (3.4): every state met by every later event, a hundred and ninety-five cells.

use std::path::Path;

use unisson_scenario::{FileReport, Options, Report, read_text};

/// What happens to a state (row) when an event (column) follows that is certainly later. A dot leaves it as it is.
const TABLE: &str = "
from         | request   | claim       | form    | doi     | refuse  | withdraw  | object   | complaint | sale         | void        | reassign    | deadline | months37 | erase  | ask_erase
unknown      | requested | unqualified | granted | granted | refused | withdrawn | objected | complaint | not_required | .           | invalidated | .        | .        | erased | objected
requested    | .         | unqualified | granted | granted | refused | withdrawn | objected | complaint | not_required | .           | invalidated | .        | .        | erased | objected
unqualified  | .         | .           | granted | granted | refused | withdrawn | objected | complaint | not_required | .           | invalidated | lapsed   | .        | erased | objected
granted      | .         | .           | .       | .       | refused | withdrawn | objected | complaint | .            | invalidated | invalidated | .        | expired  | erased | objected
not_required | .         | .           | granted | granted | refused | withdrawn | objected | complaint | .            | .           | invalidated | .        | unknown  | erased | objected
expired      | .         | .           | granted | granted | refused | withdrawn | objected | complaint | .            | invalidated | invalidated | .        | .        | erased | objected
lapsed       | .         | .           | granted | granted | refused | withdrawn | objected | complaint | not_required | .           | invalidated | .        | .        | erased | objected
invalidated  | .         | .           | granted | granted | refused | withdrawn | objected | complaint | .            | .           | .           | .        | .        | erased | objected
refused      | .         | .           | granted | granted | .       | withdrawn | objected | complaint | .            | .           | .           | .        | .        | erased | objected
withdrawn    | .         | .           | granted | granted | .       | .         | objected | complaint | .            | .           | .           | .        | .        | erased | objected
objected     | .         | .           | .       | granted | .       | .         | .        | complaint | .            | .           | .           | .        | .        | erased | .
complaint    | .         | .           | .       | granted | .       | .         | .        | .         | .            | .           | .           | .        | .        | erased | .
erased       | .         | .           | .       | granted | .       | .         | .        | .         | .            | .           | .           | .        | .        | .      | .
";

/// What leads into a state, as an observation of the web form or the shop.
fn leads_into(state: &str) -> &'static [&'static str] {
    match state {
        "unknown" => &["sys: web, at: \"2026-06-01T00:00:00Z\", obs: \"2026-06-01T00:00:00Z\", ev: attribute"],
        "requested" => &["sys: web, at: \"2026-06-01T00:00:00Z\", obs: \"2026-06-01T00:00:00Z\", ev: request, SCOPE"],
        "unqualified" | "lapsed" => &[
            "sys: web, at: \"2026-06-01T00:00:00Z\", obs: \"2026-06-01T00:00:00Z\", ev: grant, evidence: flag_only, SCOPE",
        ],
        "granted" => {
            &["sys: web, at: \"2026-06-01T00:00:00Z\", obs: \"2026-06-01T00:00:00Z\", ev: grant, evidence: form, SCOPE"]
        }
        "not_required" => {
            &["sys: shop, at: \"2026-06-01T00:00:00Z\", obs: \"2026-06-01T00:00:00Z\", ev: relationship, \
                             what: sale, opt_out_offered: true, similar: true"]
        }
        "expired" => {
            &["sys: web, at: \"2023-01-01T00:00:00Z\", obs: \"2023-01-01T00:00:00Z\", ev: grant, evidence: form, SCOPE"]
        }
        "invalidated" => &[
            "sys: web, at: \"2026-06-01T00:00:00Z\", obs: \"2026-06-01T00:00:00Z\", ev: grant, evidence: form, SCOPE",
            "sys: web, at: \"2026-06-02T00:00:00Z\", obs: \"2026-06-02T00:00:00Z\", ev: invalidate, notice: N3",
        ],
        "refused" => &["sys: web, at: \"2026-06-01T00:00:00Z\", obs: \"2026-06-01T00:00:00Z\", ev: refuse"],
        "withdrawn" => &["sys: web, at: \"2026-06-01T00:00:00Z\", obs: \"2026-06-01T00:00:00Z\", ev: withdraw"],
        "objected" => &["sys: web, at: \"2026-06-01T00:00:00Z\", obs: \"2026-06-01T00:00:00Z\", ev: object"],
        "complaint" => &["sys: web, at: \"2026-06-01T00:00:00Z\", obs: \"2026-06-01T00:00:00Z\", ev: complaint"],
        "erased" => &[
            "sys: web, at: \"2026-06-01T00:00:00Z\", obs: \"2026-06-01T00:00:00Z\", ev: erase_request, verified: true",
        ],
        other => panic!("no state {other}"),
    }
}

/// What follows: an observation, or only time.
fn follows(event: &str) -> Option<&'static str> {
    Some(match event {
        "request" => "sys: web, ev: request, SCOPE",
        "claim" => "sys: web, ev: grant, evidence: flag_only, SCOPE",
        "form" => "sys: web, ev: grant, evidence: later_form, SCOPE",
        "doi" => "sys: web, ev: grant, evidence: later_doi, SCOPE",
        "refuse" => "sys: web, ev: refuse",
        "withdraw" => "sys: web, ev: withdraw",
        "object" => "sys: web, ev: object",
        "complaint" => "sys: web, ev: complaint, actor: mailbox_provider",
        "sale" => "sys: shop, ev: relationship, what: sale, opt_out_offered: true, similar: true",
        "void" => "sys: web, ev: invalidate, notice: N3",
        "reassign" => "sys: esp2, ev: bounce, code: \"5.7.17\", actor: machine",
        "erase" => "sys: web, ev: erase_request, verified: true",
        "ask_erase" => "sys: web, ev: erase_request, verified: false",
        "deadline" | "months37" => return None,
        other => panic!("no event {other}"),
    })
}

fn cells() -> Vec<(&'static str, &'static str, &'static str)> {
    let rows: Vec<Vec<&str>> = TABLE.trim().lines().map(|line| line.split('|').map(str::trim).collect()).collect();
    let mut cells = Vec::new();
    for row in &rows[1..] {
        for (event, state) in rows[0].iter().zip(row).skip(1) {
            cells.push((row[0], *event, if *state == "." { row[0] } else { *state }));
        }
    }
    cells
}

fn written((from, event, to): (&str, &str, &str)) -> String {
    let scope = "scope: {purposes: [promo_similar], channels: [email]}";
    let mut told: Vec<String> = leads_into(from).iter().map(|told| (*told).to_owned()).collect();
    let later = "at: \"2026-09-01T00:00:00Z\", obs: \"2026-09-01T00:00:00Z\"";
    told.extend(follows(event).map(|follows| format!("{later}, {follows}")));
    let observation = |(place, told): (usize, &String)| {
        let who = if told.contains("ev: invalidate") { "" } else { "rec: r1, who: {email: ada@example.org}, " };
        format!("    - {{id: o{place}, {who}{}}}\n", told.replace("SCOPE", scope))
    };
    let observations = told.iter().enumerate().map(observation).collect::<Vec<_>>().concat();
    let deadline = if from == "lapsed" || event == "deadline" { "\"2026-10-31T23:00:00Z\"" } else { "null" };
    let now = if event == "months37" { "2029-12-01T00:00:00Z" } else { "2026-11-23T00:00:00Z" };
    let decision = if matches!(to, "granted" | "not_required") { "allow" } else { "deny" };
    let status = if to == "complaint" { "objected" } else { to };
    let reason = match to {
        "complaint" => ", reason: complaint",
        "objected" => ", reason: objected",
        _ => "",
    };
    // The table is about permission, so no system here sends marketing; but what holds the erased person must be told.
    let actions = match (from, event) {
        ("erased", "doi" | "void" | "deadline" | "months37" | "erase" | "ask_erase") => "",
        ("erased", "sale") => "shop: [re_erase]",
        ("erased", "reassign") => "esp2: [re_erase]",
        ("erased", _) => "web: [re_erase]",
        ("not_required", "erase") => "shop: [erase]",
        (_, "erase") => "web: [erase]",
        _ => "",
    };
    let silent = "systems: {shop: {marketing: false}, esp2: {marketing: false}}";
    format!(
        "- id: {from} then {event}\n  now: \"{now}\"\n  policy: {{requal_deadline: {deadline}}}\n  {silent}\n  \
         observations:\n{observations}  expect:\n    - {{key: {{address: ada@example.org, purpose: promo_similar, channel: \
         email}}, decision: {decision}, status: {status}{reason}, actions: {{{actions}}}}}\n"
    )
}

#[test]
fn every_cell_of_the_state_table_holds() {
    let cells = cells();
    assert_eq!(cells.len(), 13 * 15);
    let later = "capture: true, notice: N9, controller_named: true, purpose_specific: true, pre_ticked: false, affirmative: true";
    let mut text = format!(
        "schema: consent-scenarios/1\ndefaults:\n  evidence_presets:\n    later_form: {{{later}}}\n    later_doi: {{{later}, doi: true}}\nscenarios:\n"
    );
    text.extend(cells.iter().map(|cell| written(*cell)));
    let suite = read_text(Path::new("table.yaml"), &text).unwrap();
    assert_eq!(suite.rejects, []);
    let options = Options::default();
    let report = Report::of(vec![FileReport::play("table.yaml".to_owned(), suite, &options)], options);
    let mut words = Vec::new();
    report.write(&mut words).unwrap();
    assert_eq!(report.failed(), 0, "{}", String::from_utf8(words).unwrap());
}
