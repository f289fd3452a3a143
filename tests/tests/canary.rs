//! No address and no secret in any output or log, at any level.

use std::collections::BTreeSet;

use unisson_sandbox::{Audience, Fault, MailchimpOptions, Options, Rule, Status, When};
use unisson_tests::Company;

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_at_trace_level_tells_nobodys_address_and_no_secret() {
    let company = Company::found(17, 300, |settings| settings).await;
    // An address in an error body is what vendors put into logs.
    for handle in [company.twins.mailchimp().handle(), company.twins.hubspot().handle()] {
        let rule = Rule {
            fault: Fault::AddressInError,
            path: String::new(),
            method: None,
            when: When::Call { number: 4, times: 1 },
        };
        handle.inject(rule).expect("the fault is understood");
    }
    let mut addresses: BTreeSet<String> = company.twins.hubspot().addresses().into_iter().collect();
    addresses.extend(company.twins.mailchimp().addresses(Audience::Letter, Status::Subscribed));
    let mut people = company.twins.mailchimp().addresses(Audience::Letter, Status::Subscribed).into_iter();
    let [erased, objects, asks] = [(); 3].map(|()| people.next().expect("somebody is subscribed"));
    let answer = company.path().join("answer").display().to_string();
    let mut told = String::new();
    for arguments in [
        &["check"][..],
        &["sync"],
        &["plan"],
        &["plan", "--json"],
        &["sync", "--json"],
        &["status"],
        &["runs"],
        &["ledger", "verify"],
        &["ledger", "export"],
        &["erase", &erased, "--verified-by", "a call back"],
        &["erase", &objects],
        &["object", &objects],
        &["access", &asks, "--out", &answer],
        &["erasures", "list", "--all"],
        &["erasures", "run"],
        &["doctor", "--online"],
    ] {
        let mut command = company.command(arguments);
        command.env("RUST_LOG", "trace");
        let output = tokio::task::spawn_blocking(move || command.output()).await.expect("no panic").expect("it starts");
        told.push_str(&String::from_utf8_lossy(&output.stdout));
        told.push_str(&String::from_utf8_lossy(&output.stderr));
    }
    assert!(told.len() > 10_000, "the trace says something");
    let told = told.to_lowercase();
    assert!(addresses.len() > 100);
    for address in &addresses {
        let address = address.to_lowercase();
        let encoded = address.replace('@', "%40");
        let (local, _) = address.split_once('@').expect("an address");
        assert!(!told.contains(&address) && !told.contains(&encoded), "an address was told");
        assert!(local.len() < 8 || !told.contains(local), "the local part of an address was told");
    }
    let keys = [
        MailchimpOptions::default().key.reveal().to_owned(),
        Options::default().hubspot.token.reveal().to_owned(),
        "07".repeat(32),
        "09".repeat(32),
    ];
    for key in keys {
        assert!(!told.contains(&key), "a secret was told");
    }
}
