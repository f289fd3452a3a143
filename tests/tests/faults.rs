//! One fault in the middle of a pull: everything is there in the end, or the run says plainly that it is incomplete and
//! infers nothing from what it did not see.

use unisson_sandbox::{Fault, Framing, Handle, RetryAfter, Rule, When};
use unisson_tests::Company;

/// How many people: several pages on both platforms.
const PEOPLE: u32 = 700;

fn faults() -> Vec<(&'static str, Fault)> {
    vec![
        ("429 with seconds", Fault::RateLimited(RetryAfter::Seconds(1))),
        ("429 with a date", Fault::RateLimited(RetryAfter::Date(1))),
        ("429 bare", Fault::RateLimited(RetryAfter::Bare)),
        ("429 with junk", Fault::RateLimited(RetryAfter::Text("soon".to_owned()))),
        ("500", Fault::ServerError(500)),
        ("503", Fault::ServerError(503)),
        ("401 once", Fault::Unauthorized),
        ("an HTML page with 200", Fault::HtmlPage),
        ("an error inside 200", Fault::ErrorInside),
        ("half a document", Fault::TruncatedJson),
        ("cut by length", Fault::CutBody(Framing::Length)),
        ("cut in chunks", Fault::CutBody(Framing::Chunked)),
        ("a stall", Fault::StallBody(1_500)),
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
    settings.replace("api_key =", "page_size = 100\napi_key =")
}

async fn under(seed: u64, fault: &Fault, path: &str, handle: impl Fn(&Company) -> &Handle) -> (Company, i32) {
    let company = Company::found(seed, PEOPLE, small_pages).await;
    let rule =
        Rule { fault: fault.clone(), path: path.to_owned(), method: None, when: When::Page { number: 3, times: 1 } };
    handle(&company).inject(rule).expect("the fault is understood");
    let run = company.run(&["sync", "--json"]).await;
    let report = run.json();
    let complete = report["instances"].as_object().expect("instances").values().all(|part| part["complete"] == true);
    assert!(matches!(run.code, 0 | 2 | 3), "{}\n{}", run.out, run.err);
    assert!(complete || run.code != 0, "what is incomplete does not end with 0");
    if !complete {
        let vanished =
            report["instances"].as_object().expect("instances").values().map(|part| part["vanished"].as_u64());
        assert!(vanished.flatten().all(|count| count == 0), "nothing is inferred from what was not seen");
    }
    let told = format!("{}{}", run.out, run.err);
    assert!(!told.contains("@example") && !told.contains("%40"), "an address was told");
    (company, run.code)
}

#[tokio::test(flavor = "multi_thread")]
async fn one_fault_on_a_page_of_the_mail_platform_loses_nobody() {
    let expected = {
        let company = Company::found(31, PEOPLE, small_pages).await;
        company.settle().await;
        company.suppressions().await
    };
    for (name, fault) in faults() {
        let (company, _) = under(31, &fault, "/members", |company| company.twins.mailchimp().handle()).await;
        company.twins.mailchimp().handle().clear_faults();
        company.settle().await;
        assert_eq!(company.suppressions().await, expected, "after {name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_fault_on_a_page_of_the_crm_loses_nobody() {
    let expected = {
        let company = Company::found(37, PEOPLE, small_pages).await;
        company.settle().await;
        company.suppressions().await
    };
    for (name, fault) in faults() {
        let (company, _) = under(37, &fault, "/contacts", |company| company.twins.hubspot().handle()).await;
        company.twins.hubspot().handle().clear_faults();
        company.settle().await;
        assert_eq!(company.suppressions().await, expected, "after {name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_that_fail_in_every_way_arrive_in_the_end() {
    let expected = {
        let company = Company::found(41, 400, |settings| settings).await;
        company.settle().await;
        company.suppressions().await
    };
    let company = Company::found(41, 400, |settings| settings).await;
    for fault in
        [Fault::LostAnswer, Fault::ServerError(500), Fault::RateLimited(RetryAfter::Bare), Fault::FalseAcknowledgement]
    {
        let rule =
            Rule { fault, path: "/members/".to_owned(), method: Some("PATCH".to_owned()), when: When::Percent(10) };
        company.twins.mailchimp().handle().inject(rule).expect("the fault is understood");
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
    company.twins.mailchimp().handle().clear_faults();
    company.twins.clock().advance(std::time::Duration::from_hours(1));
    company.run(&["sync", "--full"]).await;
    company.settle().await;
    assert_eq!(company.suppressions().await, expected);
    let letter = unisson_sandbox::Audience::Letter;
    for line in company.suppressions().await.iter().filter(|line| line.contains(" newsletter email ")) {
        let address = line.split(' ').next().expect("an address");
        let shown = company.twins.mailchimp().status(letter, address);
        assert_ne!(shown, Some(unisson_sandbox::Status::Subscribed), "an acknowledgement that lied was believed");
    }
}
