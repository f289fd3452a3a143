//! One fault in the middle of a pull, for every row of the fault table and every twin: everything is there in the end, or
//! the run says plainly that it is incomplete and infers nothing from what it did not see.

use std::time::Duration;

use serde_json::Value;
use unisson_sandbox::{Audience, Fault, Framing, Handle, Lag, RetryAfter, Rule, Status, When};
use unisson_tests::Company;

/// How many people: several pages on every platform.
const PEOPLE: u32 = 150;

/// A platform under test.
#[derive(Debug, Clone, Copy)]
enum Twin {
    Mailchimp,
    HubSpot,
    Brevo,
}

impl Twin {
    fn handle(self, company: &Company) -> &Handle {
        match self {
            Self::Mailchimp => company.twins.mailchimp().handle(),
            Self::HubSpot => company.twins.hubspot().handle(),
            Self::Brevo => company.twins.brevo().handle(),
        }
    }

    /// What the paths of its listings of contacts hold.
    fn listing(self) -> &'static str {
        match self {
            Self::Mailchimp => "/members",
            Self::HubSpot | Self::Brevo => "/contacts",
        }
    }
}

/// The fault table, and whether a fault may end the pass: then the run says so.
fn faults() -> Vec<(&'static str, Fault)> {
    vec![
        ("429 with seconds", Fault::RateLimited(RetryAfter::Seconds(1))),
        ("429 with a date", Fault::RateLimited(RetryAfter::Date(1))),
        ("429 bare", Fault::RateLimited(RetryAfter::Bare)),
        ("429 with junk", Fault::RateLimited(RetryAfter::Text("soon".to_owned()))),
        ("429 with an hour", Fault::RateLimited(RetryAfter::Seconds(3_600))),
        ("500", Fault::ServerError(500)),
        ("503", Fault::ServerError(503)),
        ("401 once", Fault::Unauthorized),
        ("an address in an error", Fault::AddressInError),
        ("an HTML page with 200", Fault::HtmlPage),
        ("an error inside 200", Fault::ErrorInside),
        ("half a document", Fault::TruncatedJson),
        ("cut by length", Fault::CutBody(Framing::Length)),
        ("cut in chunks", Fault::CutBody(Framing::Chunked)),
        ("a stall", Fault::StallBody(1_500)),
        ("a stall without end", Fault::StallForEver),
        ("a dropped call", Fault::DropCall),
        ("an empty page in the middle", Fault::EmptyPage),
        ("a false end", Fault::FalseEnd),
        ("a short page", Fault::ShortPage(10)),
        ("a repeated page", Fault::RepeatedPage),
        ("a circle of one", Fault::CursorLoop(1)),
        ("a circle of two", Fault::CursorLoop(2)),
    ]
}

/// Small pages, so that there is a middle.
#[expect(clippy::needless_pass_by_value, reason = "a company is founded with a function from text to text")]
fn small_pages(settings: String) -> String {
    settings.replace("api_key =", "page_size = 25\napi_key =")
}

/// A sync with one fault on one page.
async fn struck(company: &Company, twin: Twin, fault: &Fault, page: u32) {
    let when = When::Page { number: page, times: 1 };
    let rule = Rule { fault: fault.clone(), path: twin.listing().to_owned(), method: None, when };
    twin.handle(company).inject(rule).expect("the fault is understood");
    let run = company.run(&["sync", "--dry-run", "--json"]).await;
    let report = run.json();
    let parts: Vec<&Value> = report["instances"].as_object().expect("instances").values().collect();
    let complete = parts.iter().all(|part| part["complete"] == true);
    assert!(matches!(run.code, 0 | 2 | 3), "{}\n{}", run.out, run.err);
    assert!(complete || run.code != 0, "what is incomplete does not end with 0");
    if !complete {
        assert!(parts.iter().all(|part| part["vanished"] == 0), "nothing is inferred from what was not seen");
        assert!(parts.iter().any(|part| part["errors"].as_array().is_some_and(|errors| !errors.is_empty())));
    }
    let told = format!("{}{}", run.out, run.err);
    assert!(!told.contains("@example") && !told.contains("%40"), "an address was told");
    twin.handle(company).clear_faults();
}

/// Every fault in the first sync of a company, each on another page than the one before it. Nothing is written to the
/// platforms meanwhile, so that each finds them as the others did.
async fn nobody_is_lost(twin: Twin, seed: u64) {
    let company = Company::found(seed, PEOPLE, small_pages).await;
    company.run(&["sync", "--dry-run"]).await;
    let expected = company.suppressions().await;
    for (place, (name, fault)) in (0..).zip(faults()) {
        company.forget();
        struck(&company, twin, &fault, 1 + place % 4).await;
        let calm = company.run(&["sync", "--dry-run", "--full", "--json"]).await;
        assert_eq!(calm.code, 0, "after {name}: {}", calm.out);
        assert_eq!(company.suppressions().await, expected, "after {name} on {twin:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_fault_on_any_page_of_mailchimp_loses_nobody() {
    nobody_is_lost(Twin::Mailchimp, 31).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_fault_on_any_page_of_hubspot_loses_nobody() {
    nobody_is_lost(Twin::HubSpot, 37).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_fault_on_any_page_of_brevo_loses_nobody() {
    nobody_is_lost(Twin::Brevo, 43).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_jobs_on_one_account_share_its_rate() {
    // Brevo allows ten calls under /contacts in a second. Two instances with pages of five have forty calls to make.
    let company = Company::found(47, 120, |settings| {
        let own = settings.lines().find(|line| line.ends_with("/v3\"")).expect("the address of Brevo's twin");
        let again = "[instances.again]\nconnector = \"brevo\"\napi_key = { file = \"brevo.key\" }";
        let settings = settings.replace("tier = \"extended\"\n", "");
        format!("{}\n{again}\n{own}\npage_size = 5\n", settings.replace(own, &format!("{own}\npage_size = 5")))
    })
    .await;
    let run = company.run(&["sync", "--dry-run", "--json"]).await;
    let report = run.json();
    assert_eq!(report["instances"]["again"]["observed"], report["instances"]["campaigns"]["observed"], "{}", run.out);
    let rates = company.twins.brevo().handle().rates();
    let contacts = rates.windows.iter().find(|window| window.per_ms == 1_000).expect("a rate for a second");
    assert!(contacts.peak >= 5, "two instances in a row would prove nothing: {rates:?}");
    assert!(contacts.peak <= 10, "the account's rate is doubled: {rates:?}");
}

/// Syncs and approves twice while writes fail, then lets the platform be well again and time pass.
async fn write_under(company: &Company, twin: Twin, faults: &[(Fault, &str, u32)]) {
    for (fault, method, percent) in faults {
        let rule = Rule {
            fault: fault.clone(),
            path: String::new(),
            method: Some((*method).to_owned()),
            when: When::Percent(*percent),
        };
        twin.handle(company).inject(rule).expect("the fault is understood");
    }
    for _ in 0..2 {
        company.run(&["sync"]).await;
        let held = company.run(&["status", "--json"]).await.json();
        for waiting in held["outbox"].as_array().expect("an outbox") {
            if let Some(run) = waiting["run"].as_str() {
                company.run(&["approve", run]).await;
            }
        }
    }
    twin.handle(company).clear_faults();
    company.twins.clock().advance(Duration::from_hours(1));
    company.run(&["sync", "--full"]).await;
    company.settle().await;
}

/// What goes wrong with writes, in percent of them.
fn write_faults(method: &'static str) -> Vec<(Fault, &'static str, u32)> {
    vec![
        (Fault::LostAnswer, method, 10),
        (Fault::ServerError(500), method, 10),
        (Fault::RateLimited(RetryAfter::Bare), method, 10),
        (Fault::FalseAcknowledgement, method, 10),
        (Fault::LateEffect(Lag::Milliseconds(30_000)), method, 10),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_that_fail_in_every_way_arrive_at_mailchimp_in_the_end() {
    let expected = {
        let company = Company::found(41, 300, |settings| settings).await;
        company.settle().await;
        company.suppressions().await
    };
    let company = Company::found(41, 300, |settings| settings).await;
    write_under(&company, Twin::Mailchimp, &write_faults("PATCH")).await;
    assert_eq!(company.suppressions().await, expected);
    for line in company.suppressions().await.iter().filter(|line| line.contains(" newsletter email ")) {
        let address = line.split(' ').next().expect("an address");
        let shown = company.twins.mailchimp().status(Audience::Letter, address);
        assert_ne!(shown, Some(Status::Subscribed), "an acknowledgement that lied was believed");
    }
}
