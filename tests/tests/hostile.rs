//! Input that is out to hurt, through the whole program: what cannot be read is refused or set aside by name, whatever else
//! is there is learnt, memory stays bounded, and nobody is named.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use unisson_sandbox::{Fault, Handle, Rule};
use unisson_tests::raw::{Answer, Raw};
use unisson_tests::{Company, Ended};

/// The most memory that the program may ever hold, in kibibytes: 200 MB, built without optimisation.
const PEAK_KIB_MAX: u64 = 200 * 1_000_000 / 1_024;
/// The longest that one command may take.
const PATIENCE: Duration = Duration::from_mins(3);
/// How many people, where there are twins: more than one page on each.
const PEOPLE: u32 = 300;
const MIB: usize = 1_024 * 1_024;

/// A company with nothing but a folder of files.
const DESK: &str = r#"
[store]
url = "sqlite:unisson.db"

[instances.desk]
connector = "files"
path = "hostile"
encoding = "utf-8"
separator = ","

[instances.desk.columns]
email = "email"
customer = "no"

[instances.desk.events.out]
kind = "withdraw"
at = "at"
when = { column = "ok", equals = ["no"] }
purposes = ["newsletter"]
channels = ["email"]
actor = "data_subject"
"#;

/// A company with nothing but a mail platform.
const MAIL: &str = r#"
[store]
url = "sqlite:unisson.db"

[instances.news]
connector = "mailchimp"
enforce = "negatives"
api_key = { file = "mailchimp.key" }
base_url = "PLATFORM"
audiences = ["a1"]

[instances.news.lists]
"a1" = { purpose = "newsletter", channel = "email" }
"#;

/// The most memory that a program ever held, in kibibytes, as far as it is still there to be looked at.
fn peak_kib(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

/// Runs a command to its end, looking at its memory all the while.
fn watched(mut command: std::process::Command) -> (Ended, u64) {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let (process, begun) = (child.id(), Instant::now());
    let ending = std::thread::spawn(move || child.wait_with_output().expect("it ends"));
    let mut peak = 0;
    while !ending.is_finished() {
        peak = peak_kib(process).unwrap_or_default().max(peak);
        assert!(begun.elapsed() < PATIENCE, "it does not end");
        std::thread::sleep(Duration::from_millis(2));
    }
    let was_looked_at = peak > 0 || begun.elapsed() < Duration::from_millis(100);
    assert!(was_looked_at || !cfg!(target_os = "linux"), "its memory was looked at");
    let output = ending.join().expect("no panic");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (Ended { code: output.status.code().unwrap_or(-1), out: text(&output.stdout), err: text(&output.stderr) }, peak)
}

/// Runs a command that logs everything, and holds its memory to the bound and its words to silence about people.
async fn run(company: &Company, arguments: &[&str]) -> Ended {
    let mut command = company.command(arguments);
    command.env("RUST_LOG", "trace");
    let (ended, peak) = tokio::task::spawn_blocking(move || watched(command)).await.expect("no panic");
    assert!(peak <= PEAK_KIB_MAX, "{arguments:?} held {peak} KiB at once");
    let told = format!("{}{}", ended.out, ended.err).to_lowercase();
    for word in ["@example", "%40", "\u{1b}"] {
        assert!(!told.contains(word), "{word:?} was told by {arguments:?}: {told:.2000}");
    }
    ended
}

/// A company with this text for settings, and these files in its folder `hostile`.
async fn company(settings: &str, files: &[(&str, Vec<u8>)]) -> Company {
    let company = Company::found(61, 1, |_| settings.to_owned()).await;
    let folder = company.path().join("hostile");
    std::fs::create_dir(&folder).expect("a folder");
    for (name, bytes) in files {
        std::fs::write(folder.join(name), bytes).expect("a file");
    }
    company
}

/// What a run says of its only instance.
fn part<'r>(report: &'r Value, name: &str) -> &'r Value {
    &report["instances"][name]
}

/// Where rows were set aside, in the words of the report.
fn set_aside(part: &Value) -> Vec<String> {
    let named = part["rejects_named"].as_array().expect("rejects").iter();
    named.map(|reject| reject.as_str().expect("words").to_owned()).collect()
}

/// The addresses that are out of the newsletter, and why, in their order.
async fn out_of_newsletter(company: &Company) -> Vec<String> {
    let lines = company.suppressions().await.into_iter();
    let lines = lines.filter_map(|line| line.strip_suffix(" newsletter email withdrawn").map(str::to_owned));
    lines.collect()
}

fn person(number: usize) -> String {
    format!("p{number:03}@example.org")
}

/// A row by which somebody leaves.
fn leaves(number: usize) -> Vec<u8> {
    format!("{},no,2026-05-01,{number}\n", person(number)).into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_out_to_hurt_costs_its_own_rows_and_nobody_elses() {
    let long = format!("{}@example.org", "a".repeat(100 * 1_024));
    let hurting: [(&str, Vec<u8>); 8] = [
        ("a million columns", [",".repeat(1_000_000).as_bytes(), b"\n"].concat()),
        ("no line end", [vec![b'x'; 64 * MIB], b"\n".to_vec()].concat()),
        ("no text", b"x\xff\xfe@example.org,no,2026-05-01,\n".to_vec()),
        ("a quote that never closes", b"\"x@example.org,no,2026-05-01,\n".to_vec()),
        ("a quote in the middle", b"x@example.org,\"no\"x,\"2026-05-01,\n".to_vec()),
        ("too many cells", b"x@example.org,no,2026-05-01,,,,more\n".to_vec()),
        ("too few", b"x\n".to_vec()),
        ("a name without end", [b"x@example.org,no,2026-05-01,".to_vec(), vec![b'7'; 5_000], b"\n".to_vec()].concat()),
    ];
    // Odd, and somebody's all the same.
    let odd: [Vec<u8>; 4] = [
        format!("{long},no,2026-05-01,\n").into_bytes(),
        b"a\0b@example.org,no,2026-05-01,\n".to_vec(),
        b"\x1b[2Jc@example.org,no,2026-05-01,\n".to_vec(),
        b"z@example.org,no,2220-01-01,99999999999999999999999999\n".to_vec(),
    ];
    let mut table = b"email,ok,at,no\n".to_vec();
    let (mut people, mut lines) = (0, Vec::new());
    for bytes in hurting.iter().map(|(_, bytes)| bytes).chain(&odd) {
        table.extend(leaves(people));
        people += 1;
        let line = table.split(|byte| *byte == b'\n').count();
        lines.extend(hurting.iter().any(|(_, known)| known == bytes).then_some(line));
        table.extend(bytes);
    }
    // Enough to see that the quote swallowed nobody.
    (people..people + 400).for_each(|number| table.extend(leaves(number)));
    people += 400;
    let company = company(DESK, &[("a.csv", table)]).await;
    let ended = run(&company, &["sync", "--json"]).await;
    assert_eq!(ended.code, 2, "{}", ended.err);
    let report = ended.json();
    let desk = part(&report, "desk");
    assert_eq!(desk["complete"], true, "{desk}");
    let named = set_aside(desk);
    for line in &lines {
        assert!(named.iter().any(|reject| reject.contains(&format!("a.csv line {line}:"))), "{line}: {named:#?}");
    }
    // The rows, and one line on the cell that was cut.
    assert_eq!(desk["rejects"], lines.len() + 1, "{named:#?}");
    assert_eq!(desk["observed"], people + odd.len());
    let out = out_of_newsletter(&company).await;
    for number in 0..people {
        assert!(out.contains(&person(number)), "{} was lost", person(number));
    }
    assert!(out.contains(&"z@example.org".to_owned()), "a refusal from a time to come is a refusal");
    assert_eq!(out.len(), people + odd.len());
    let shown = company.run(&["suppressions", "list"]).await;
    assert!(!shown.out.contains('\u{1b}') && shown.out.contains("{1b}[2jc@example.org"), "an address moves the cursor");
    assert!(shown.out.lines().all(|line| line.chars().count() < 400), "one address widens everybody's row");
    let again = run(&company, &["sync", "--json"]).await;
    assert_eq!(
        (again.code, &part(&again.json(), "desk")["observed"]),
        (0, &json!(0)),
        "what was read is not read again"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn json_lines_that_are_out_to_hurt_cost_their_own_lines() {
    let leaves = |number: usize| format!("{{\"email\":\"{}\",\"ok\":\"no\",\"at\":\"2026-05-01\"}}\n", person(number));
    let hurting = [
        format!("{{\"email\":\"x@example.org\",\"more\":{}{}}}\n", "[".repeat(10_000), "]".repeat(10_000)),
        format!("{}\n", "{\"a\":".repeat(10_000)),
        "{\"email\":\"x@example.org\",\"ok\":\"yes\",\"ok\":\"no\"}\n".to_owned(),
        "{\"email\":\"x@example.org\",\"ok\":\"no\",\"no\":18446744073709551616}\n".to_owned(),
        "{\"email\":\"x@example.org\",\"ok\":\"no\",\"no\":1e999}\n".to_owned(),
        "{\"email\":\"\\ud800@example.org\"}\n".to_owned(),
        "[\"x@example.org\"]\n".to_owned(),
        format!("{{\"email\":\"{}\"}}\n", "x".repeat(2 * MIB)),
    ];
    let mut text = String::new();
    for (number, line) in hurting.iter().enumerate() {
        text += &leaves(number);
        text += line;
    }
    let people = hurting.len();
    let cut = "{\"email\":\"x@exam";
    let company = company(
        DESK,
        &[
            ("a.jsonl", [text.as_bytes(), cut.as_bytes()].concat()),
            ("b.csv", { [b"email,ok,at,no\n".to_vec(), self::leaves(500)].concat() }),
        ],
    )
    .await;
    let ended = run(&company, &["sync", "--json"]).await;
    assert_eq!(ended.code, 2, "{}", ended.err);
    let report = ended.json();
    let desk = part(&report, "desk");
    assert_eq!((&desk["complete"], &desk["vanished"]), (&json!(false), &json!(0)), "it was cut off: {desk}");
    let named = set_aside(desk);
    for line in (1..=people).map(|place| 2 * place).chain([2 * people + 1]) {
        assert!(named.iter().any(|reject| reject.contains(&format!("a.jsonl line {line}:"))), "{line}: {named:#?}");
    }
    let expected: Vec<String> = (0..people).chain([500]).map(person).collect();
    assert_eq!(out_of_newsletter(&company).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_cannot_be_read_at_all_is_named_and_the_others_are_read() {
    let header = b"email,ok,at,no\n".to_vec();
    let good = [header.clone(), leaves(1)].concat();
    let utf16: Vec<u8> = String::from_utf8_lossy(&good).encode_utf16().flat_map(u16::to_le_bytes).collect();
    let files = [
        ("a-line.csv", vec![b'x'; 64 * MIB]),
        ("b-columns.csv", ",".repeat(1_000_000).into_bytes()),
        ("c-utf16.csv", utf16),
        ("d-twice.csv", b"email,EMAIL,email,ok,at,no\nx@example.org,,,no,2026-05-01,\n".to_vec()),
        ("e-other.csv", b"x@example.org,no\n".to_vec()),
        ("f-noise.csv", (0..MIB).map(|byte| u8::try_from(byte * 7_919 % 251).unwrap_or_default()).collect()),
        ("g-empty.csv", Vec::new()),
        ("h-quote.csv", [header.clone(), leaves(2), b"\"x".to_vec()].concat()),
        ("i-good.csv", [header, leaves(3)].concat()),
    ];
    let company = company(DESK, &files).await;
    let ended = run(&company, &["sync", "--json"]).await;
    assert_eq!(ended.code, 2, "{}", ended.err);
    let report = ended.json();
    let desk = part(&report, "desk");
    assert_eq!((&desk["complete"], &desk["vanished"]), (&json!(false), &json!(0)));
    let errors = desk["errors"].to_string();
    for (name, _) in &files[..6] {
        assert!(errors.contains(name), "{name} is not named: {errors}");
    }
    assert!(errors.contains("h-quote.csv") && errors.contains("line 3"), "{errors}");
    assert!(!errors.contains("g-empty.csv") && !errors.contains("i-good.csv"), "{errors}");
    assert_eq!(out_of_newsletter(&company).await, [person(2), person(3)]);
    let checked = run(&company, &["check", "--json"]).await;
    assert_eq!(checked.code, 2, "{}", checked.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_policies_scenarios_and_lists_that_are_out_to_hurt_are_refused() {
    let deep_toml = format!("version = \"1\"\nprofile = \"eu-fr\"\na = {}{}\n", "[".repeat(10_000), "]".repeat(10_000));
    let deep_yaml = format!("schema: consent-scenarios/1\nscenarios: {}{}\n", "[".repeat(10_000), "]".repeat(10_000));
    let laughing = (b'b'..=b'z').fold("a: &a [x, x]\n".to_owned(), |text, name| {
        let (name, before) = (char::from(name), char::from(name - 1));
        text + &format!("{name}: &{name} [*{before}, *{before}, *{before}, *{before}]\n")
    });
    let rows = [",".repeat(1_000_000).into_bytes(), vec![b'x'; 64 * MIB], b"x\xff@example.org".to_vec()];
    let list = rows.into_iter().zip(1..).fold(b"email\n".to_vec(), |list, (row, number)| {
        [list, person(number).into_bytes(), b"\n".to_vec(), row, b"\n".to_vec()].concat()
    });
    let files = [
        ("deep.toml", deep_toml.into_bytes()),
        ("long.toml", vec![b'#'; 64 * MIB]),
        ("noise.toml", vec![0xff; 1_000]),
        ("deep.yaml", deep_yaml.into_bytes()),
        ("laughing.yaml", laughing.into_bytes()),
        ("long.yaml", vec![b'#'; 64 * MIB]),
        ("columns.csv", ",".repeat(1_000_000).into_bytes()),
        ("line.csv", vec![b'x'; 64 * MIB]),
        ("list.csv", list),
    ];
    let company = company(DESK, &files).await;
    let at = |name: &str| company.path().join("hostile").join(name).display().to_string();
    for (name, words) in [("deep.toml", "is not TOML"), ("long.toml", "is longer than"), ("noise.toml", "not UTF-8")] {
        let ended = run(&company, &["policy", "check", &at(name)]).await;
        assert!(ended.code == 1 && ended.err.contains(words), "{name}: {}", ended.err);
    }
    for name in ["deep.yaml", "laughing.yaml", "long.yaml"] {
        let ended = run(&company, &["policy", "test", &at(name)]).await;
        assert!(ended.code == 1 && ended.out.contains(name), "{name}: {}", ended.out);
    }
    let import = |name: &str| {
        let name = at(name);
        let company = &company;
        async move {
            run(company, &["suppressions", "import", &name, "--source", "partner", "--encoding", "utf-8", "--quiet"])
                .await
        }
    };
    for name in ["columns.csv", "line.csv"] {
        let ended = import(name).await;
        assert!(ended.code == 1 && ended.err.contains("first row"), "{name}: {}", ended.err);
    }
    let ended = import("list.csv").await;
    assert_eq!(ended.code, 2, "{}{}", ended.out, ended.err);
    for line in [3, 5, 7] {
        assert!(format!("{}{}", ended.out, ended.err).contains(&format!("line {line}")), "{}{}", ended.out, ended.err);
    }
    assert_eq!(suppressed(&company).await, [1, 2, 3].map(person));
    for name in ["deep.toml", "long.toml", "noise.toml"] {
        std::fs::copy(at(name), company.path().join("unisson.toml")).expect("the settings are written");
        let ended = run(&company, &["status"]).await;
        assert!(ended.code == 1 && ended.err.contains("unisson.toml"), "{name}: {}", ended.err);
    }
}

/// Faults that make an answer hurt, and whether anything but the page itself can be lost by them.
fn faults() -> [(&'static str, Fault); 5] {
    [
        ("a page of 64 MB", Fault::HugeBody(64)),
        ("a bomb of 1 GB", Fault::GzipBomb(1_024)),
        ("JSON 10,000 deep", Fault::DeepJson(10_000)),
        ("a page that is no text", Fault::InvalidUtf8),
        ("an address of 100 KB", Fault::LongAddress(100)),
    ]
}

/// Each fault on the second page of a platform: the run is as it should be, and afterwards nobody is missing.
async fn survives(seed: u64, listing: &str, handle: impl Fn(&Company) -> &Handle) {
    let small = |settings: String| settings.replace("api_key =", "page_size = 100\napi_key =");
    let expected = {
        let company = Company::found(seed, PEOPLE, small).await;
        company.settle().await;
        company.suppressions().await
    };
    for (name, fault) in faults() {
        let company = Company::found(seed, PEOPLE, small).await;
        let is_whole = matches!(fault, Fault::DeepJson(_) | Fault::LongAddress(_));
        handle(&company).inject(Rule::new(fault).on(listing).at_page(2).times(100)).expect("the fault is understood");
        let ended = run(&company, &["sync", "--json"]).await;
        let report = ended.json();
        assert!(matches!(ended.code, 0 | 2 | 3), "{name}: {}", ended.err);
        let parts = report["instances"].as_object().expect("instances");
        let broken: Vec<&Value> = parts.values().filter(|part| part["complete"] == false).collect();
        assert_eq!(broken.len(), usize::from(!is_whole), "{name}: {report:#}");
        for part in &broken {
            assert_eq!((&part["vanished"], ended.code), (&json!(0), 2), "{name}: {report:#}");
            assert!(part["observed"].as_u64() > Some(0), "{name}: the page before it was read: {part:#}");
        }
        handle(&company).clear_faults();
        company.settle().await;
        assert_eq!(company.suppressions().await, expected, "after {name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_of_the_mail_platform_that_are_out_to_hurt_lose_nobody() {
    survives(62, "/members", |company| company.twins.mailchimp().handle()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_of_the_crm_that_are_out_to_hurt_lose_nobody() {
    survives(63, "/contacts", |company| company.twins.hubspot().handle()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_of_the_smaller_mail_platform_that_are_out_to_hurt_lose_nobody() {
    survives(64, "/contacts", |company| company.twins.brevo().handle()).await;
}

/// A member as the platform shows it, with these members of the object changed or added.
fn member(number: usize, changed: &str, more: &str) -> String {
    format!(
        "{{\"id\":\"{number:032x}\",\"contact_id\":\"c{number}\",\"email_address\":\"{}\",\"last_changed\":\"{changed}\",\
         \"status\":\"unsubscribed\"{more}}}",
        person(number)
    )
}

/// The end of a request's `since_last_changed`, and how many rows it passes over.
fn asked(request: &str) -> (Option<String>, usize) {
    let (_, query) = request.split_once('?').unwrap_or_default();
    let value = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    let since = value("since_last_changed").map(|text| text.replace("%3A", ":").replace("%2B", "+"));
    (since, value("offset").and_then(|text| text.parse().ok()).unwrap_or_default())
}

/// A platform with these members, in the order of their last change, whose clock shows this time.
fn platform(members: Vec<(&'static str, String)>, now: &'static str) -> Raw {
    Raw::start(move |request| {
        let (since, offset) = asked(request);
        let is_listed = request.contains("/members") && !request.contains("status=archived");
        let rows: Vec<&str> = members
            .iter()
            .filter(|(changed, _)| is_listed && since.as_deref().is_none_or(|since| *changed > since))
            .map(|(_, row)| row.as_str())
            .collect();
        let name = if request.contains("/abuse-reports") { "abuse_reports" } else { "members" };
        let shown = rows.get(offset..).unwrap_or_default().join(",");
        Answer::json(format!("{{\"{name}\":[{shown}],\"total_items\":{}}}", rows.len())).with(&format!("date: {now}"))
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_a_platform_that_contradict_themselves_are_set_aside_and_the_page_is_learnt() {
    let deep = format!(",\"merge_fields\":{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let may = "2026-05-01T00:00:00+00:00";
    let hurting = [
        ",\"status\":\"subscribed\"",
        ",\"interests\":{\"i1\":true,\"i1\":false}",
        ",\"interests\":{\"x@example.org\":18446744073709551616}",
        ",\"location\":\"x@example.org\"",
        ",\"sms_phone_number\":18446744073709551616",
    ];
    let mut members: Vec<(&str, String)> =
        hurting.iter().enumerate().map(|(number, more)| (may, member(number, may, more))).collect();
    members.extend(
        ["", &deep, ",\"stats\":{\"a\":1e999}"]
            .into_iter()
            .zip(100..)
            .map(|(more, number)| (may, member(number, may, more))),
    );
    let platform = platform(members, "Fri, 01 Jan 2027 00:00:00 GMT");
    let company = company(&MAIL.replace("PLATFORM", &platform.base_url()), &[]).await;
    let ended = run(&company, &["sync", "--json"]).await;
    assert_eq!(ended.code, 2, "{}\n{}", ended.out, ended.err);
    let report = ended.json();
    let news = part(&report, "news");
    assert_eq!((&news["complete"], &news["rejects"]), (&json!(true), &json!(hurting.len())), "{news:#}");
    for (place, reject) in (1..).zip(set_aside(news)) {
        assert!(reject.starts_with(&format!("row {place} of a1:")), "{reject}");
    }
    assert_eq!(suppressed(&company).await, [100, 101, 102].map(person));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_from_a_time_to_come_hides_no_change_after_it() {
    let rows = [(1, "2026-05-01T00:00:00+00:00"), (2, "2220-01-01T00:00:00+00:00")];
    let shown = |rows: &[(usize, &'static str)]| {
        rows.iter().map(|(number, changed)| (*changed, member(*number, changed, ""))).collect::<Vec<_>>()
    };
    let now = "Fri, 01 May 2026 01:00:00 GMT";
    let first = platform(shown(&rows), now);
    let company = company(&MAIL.replace("PLATFORM", &first.base_url()), &[]).await;
    assert_eq!(run(&company, &["sync", "--json"]).await.code, 0);
    assert_eq!(suppressed(&company).await, [1, 2].map(person));
    // The next change is an honest one, and no sweep is due.
    let second = platform(shown(&[rows[0], (3, "2026-05-01T01:30:00+00:00"), rows[1]]), now);
    let settings = MAIL.replace("PLATFORM", &second.base_url());
    std::fs::write(company.path().join("unisson.toml"), settings).expect("the settings are written");
    let ended = run(&company, &["sync", "--json"]).await;
    let report = ended.json();
    assert_eq!((ended.code, &part(&report, "news")["observed"]), (0, &json!(2)), "{report:#}");
    assert_eq!(suppressed(&company).await, [1, 2, 3].map(person));
}

/// The addresses that are out of the newsletter for whatever reason.
async fn suppressed(company: &Company) -> Vec<String> {
    let lines = company.suppressions().await;
    let lines = lines.iter().filter(|line| line.contains(" newsletter email "));
    lines.filter_map(|line| line.split(' ').next().map(str::to_owned)).collect()
}
