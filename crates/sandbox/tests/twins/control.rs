//! The control endpoint, and the life of a sandbox.

use reqwest::Method;
use serde_json::{Value, json};
use unisson_sandbox::{Audience, Options, Plot, Sandbox, StartError, Status, System};

use crate::client::{Client, control, mailchimp, options, sandbox};
use crate::site::sites;

#[tokio::test]
async fn faults_are_set_and_cleared_without_credentials() {
    let sandbox = sandbox().await;
    let (control, client) = (control(sandbox.mailchimp().handle()), mailchimp(&sandbox));
    let rule = json!({"fault": {"rate_limited": {"seconds": 6}}, "path": "/ping", "when": {"call": {"number": 2}}});
    assert_eq!(control.post("/_control/fault", rule).await.status, 200);
    assert_eq!(client.get("/ping").await.status, 200);
    assert_eq!(client.get("/ping").await.header("retry-after"), Some("6"));
    control.post("/_control/fault", json!({"fault": {"server_error": 500}, "when": "always"})).await;
    assert_eq!(client.get("/ping").await.status, 500);
    assert_eq!(control.delete("/_control/fault").await.status, 200);
    assert_eq!(client.get("/ping").await.status, 200);
}

#[tokio::test]
async fn what_is_not_understood_is_refused_with_what_to_mend() {
    let sandbox = sandbox().await;
    let control = control(sandbox.mailchimp().handle());
    for (path, body) in [
        ("/_control/fault", json!({"fault": "earthquake"})),
        ("/_control/fault", json!({"fault": {"server_error": 200}})),
        ("/_control/fault", json!({"fault": "html_page", "pth": "/ping"})),
        ("/_control/act", json!({"audience": "letter", "email": "a@example.org", "what": "vanish"})),
        ("/_control/act", json!({"audience": "letter", "email": "nobody@example.org", "what": "bounce"})),
        ("/_control/advance", json!({"seconds": -1})),
        ("/_control/advance", json!({"seconds": 999_999_999_999_u64})),
    ] {
        let answer = control.post(path, body).await;
        assert_eq!(answer.status, 400, "{path}");
        assert!(!answer.json()["mend"].as_str().unwrap().is_empty());
    }
    assert_eq!(control.get("/_control/nonsense").await.status, 404);
}

#[tokio::test]
async fn people_act_time_passes_and_everything_can_be_reset() {
    let sandbox = sandbox().await;
    let control = control(sandbox.mailchimp().handle());
    let who = sandbox.population().with_plot(Plot::Single).next().unwrap().spelling(System::Letter);
    assert_eq!(
        control.post("/_control/advance", json!({"seconds": 3_600})).await.json()["now"],
        "2026-11-01T01:00:00Z"
    );
    let act = json!({"audience": "letter", "email": who, "what": "unsubscribe"});
    assert_eq!(control.post("/_control/act", act).await.status, 200);
    assert_eq!(sandbox.mailchimp().status(Audience::Letter, &who), Some(Status::Unsubscribed));
    mailchimp(&sandbox).get("/ping").await;
    let calls = control.get("/_control/calls").await.json();
    assert_eq!((&calls["total"], &calls["writes"]), (&json!(1), &json!(0)));
    assert_eq!(calls["calls"][0]["template"], "/3.0/ping");
    assert_eq!(control.send(Method::POST, "/_control/reset", None).await.unwrap().status, 200);
    assert_eq!(sandbox.mailchimp().status(Audience::Letter, &who), Some(Status::Subscribed));
    assert_eq!(control.get("/_control/calls").await.json()["total"], 0);
    let address = json!({"email": who, "what": {"unsubscribe": 91_001}});
    let crm = Client::new(sandbox.hubspot().handle().origin(), "");
    assert_eq!(crm.post("/_control/act", address).await.status, 200);
    assert_eq!(sandbox.hubspot().choice(&who, 91_001), Some("UNSUBSCRIBED"));
}

#[tokio::test]
async fn people_leave_and_come_back_by_the_form_and_colleagues_import_them_on_every_twin() {
    let sandbox = sandbox().await;
    for site in sites(&sandbox) {
        let control = control(site.handle);
        let people = site.mailable();
        let act = async |who: &str, what: Value| {
            let mut body = json!({"email": who, "what": what});
            if site.name == "mailchimp" {
                body["audience"] = json!("letter");
            }
            control.post("/_control/act", body).await.status
        };
        let (leave, form, import, remove) = match site.name {
            "mailchimp" => (json!("unsubscribe"), vec![json!("sign_up"), json!("confirm")], json!("import"), "archive"),
            "hubspot" => (json!({"unsubscribe": 91_001}), vec![json!({"sign_up": 91_001})], json!("import"), "archive"),
            _ => (json!("unsubscribe"), vec![json!({"sign_up": 4})], json!({"import": 4}), "delete"),
        };
        let who = &people[0];
        assert_eq!(act(who, leave.clone()).await, 200, "{}", site.name);
        assert!(site.is_out(who) && site.shows_out(who).await, "{}", site.name);
        act(who, import.clone()).await;
        assert!(site.is_out(who), "{}: an import alone brings nobody back who left", site.name);
        for step in form {
            assert_eq!(act(who, step).await, 200, "{}", site.name);
        }
        assert!(!site.is_out(who), "{}: their own word does", site.name);

        // Whom a colleague removed is back as subscribed by the next import, and where the vendor forgets also who left.
        let removed = &people[1];
        if site.name == "brevo" {
            act(removed, leave).await;
        }
        assert_eq!(act(removed, json!(remove)).await, 200, "{}", site.name);
        assert_eq!(act(removed, import).await, 200, "{}", site.name);
        assert!(!site.is_out(removed) && !site.shows_out(removed).await, "{}", site.name);
    }
}

#[tokio::test]
async fn after_shutdown_nobody_answers() {
    let sandbox = sandbox().await;
    let client = mailchimp(&sandbox);
    assert_eq!(client.get("/ping").await.status, 200);
    sandbox.shutdown().await;
    sandbox.shutdown().await;
    assert!(client.send(Method::GET, "/ping", None).await.is_err());
}

#[tokio::test]
async fn a_taken_port_and_too_many_people_are_told() {
    let sandbox = sandbox().await;
    let mut taken: Options = options();
    taken.mailchimp.port = sandbox.mailchimp().handle().address().port();
    let error = Sandbox::start(taken).await.unwrap_err();
    assert!(matches!(error, StartError::Bind { .. }) && error.to_string().contains("choose another port"));
    let many = Options { contacts: u32::MAX, ..options() };
    assert!(matches!(Sandbox::start(many).await, Err(StartError::TooMany { .. })));
}

#[tokio::test]
async fn an_oversized_body_is_refused() {
    let sandbox = sandbox().await;
    let body = json!({"members": ["x".repeat(9 * 1024 * 1024)]});
    // The twin answers without reading on; whether the client sees the answer or a closed connection is the system's.
    if let Ok(answer) = mailchimp(&sandbox).send(Method::POST, "/lists/a1f0c3d9e7", Some(body)).await {
        assert_eq!(answer.status, 413);
    }
    assert_eq!(mailchimp(&sandbox).get("/ping").await.status, 200);
}
