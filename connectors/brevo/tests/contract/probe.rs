//! Looking: everything that can be mapped, and nothing written.

use std::time::Duration;

use serde_json::{Value, json};
use unisson_connector::{Allowance, ErrorKind, Limiter};
use unisson_consent::{Channel, Channels};
use wiremock::matchers::{any, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::fake::{CX, always, build, connect, lines, ok, problem};

/// An account, of which one path answers with something else.
async fn account(other: Option<(&str, ResponseTemplate)>) -> MockServer {
    let server = MockServer::start().await;
    let person = json!({ "companyName": "Example Ltd", "email": "canary@example.org", "firstName": "Ada", "plan": [] });
    let lists = json!({ "count": 2, "lists": [
        {"id": 40, "name": "News", "uniqueSubscribers": 12, "totalSubscribers": 0, "totalBlacklisted": 0, "folderId": 1},
        {"id": 41, "name": ""},
    ]});
    let rows = json!({ "contacts": [], "count": 3 });
    let answers = [
        ("/v3/account", ok(&person)),
        ("/v3/contacts", ok(&rows)),
        ("/v3/smtp/blockedContacts", ok(&rows)),
        ("/v3/contacts/lists", ok(&lists)),
    ];
    for (place, answer) in other.into_iter().chain(answers) {
        Mock::given(path(place)).respond_with(answer).mount(&server).await;
    }
    server
}

#[tokio::test]
async fn a_probe_lists_what_can_be_mapped_and_only_reads() {
    let server = account(None).await;
    let account = connect(&server, json!({})).probe(&CX).await.unwrap();
    assert_eq!(account.name, "Example Ltd");
    let lists: Vec<_> =
        account.lists.iter().map(|list| (list.id.as_str(), list.title.as_str(), list.members)).collect();
    assert_eq!(lists, [("40", "News", Some(12)), ("41", "41", None)]);
    assert!(account.lists.iter().all(|list| list.channels == Channels::one(Channel::Email)));
    assert!(account.gaps.is_empty());
    assert!(account.notes.iter().any(|note| note.contains("an erasure leaves the transactional logs")));
    assert!(!format!("{account:?}").contains("canary"), "the person behind the account is not read");
    assert_eq!(
        lines(&server).await,
        [
            "GET /v3/account",
            "GET /v3/contacts limit=1&offset=0",
            "GET /v3/smtp/blockedContacts limit=1&offset=0",
            "GET /v3/contacts/lists limit=50&offset=0&sort=asc",
        ]
    );
}

#[tokio::test]
async fn what_a_key_cannot_read_is_a_gap_that_says_how_to_mend_it() {
    let denied = || problem(403, "permission_denied", "canary");
    for (place, words) in [
        ("/v3/smtp/blockedContacts", "transactional = false"),
        ("/v3/contacts", "cannot read contacts"),
        ("/v3/contacts/lists", "cannot read lists"),
    ] {
        let server = account(Some((place, denied()))).await;
        let account = connect(&server, json!({})).probe(&CX).await.unwrap();
        assert_eq!(account.gaps.len(), 1, "{place}");
        assert!(account.gaps[0].contains(words), "{:?}", account.gaps);
    }
    let server = account(Some(("/v3/smtp/blockedContacts", denied()))).await;
    let account = connect(&server, json!({ "transactional": false })).probe(&CX).await.unwrap();
    assert!(account.gaps.is_empty());
    for status in [403, 404] {
        let server = self::account(Some(("/v3/account", problem(status, "permission_denied", "")))).await;
        assert_eq!(connect(&server, json!({})).probe(&CX).await.unwrap().name, "Brevo");
    }
}

#[tokio::test]
async fn a_key_that_is_turned_away_may_be_wrong_or_used_from_the_wrong_place() {
    let server = always(problem(401, "unauthorized", "unrecognised IP address canary")).await;
    let error = connect(&server, json!({})).probe(&CX).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("a machine whose address"), "{error}");
    assert!(!format!("{error:?}").contains("canary"), "{error:?}");
    assert_eq!(lines(&server).await.len(), 1, "a wrong key is not tried twice");
}

#[tokio::test]
async fn long_listings_are_read_to_their_count_or_not_at_all() {
    let lists = |from: u64, many: u64| -> Value {
        let lists: Vec<Value> = (from..from + many).map(|id| json!({ "id": id, "name": "x" })).collect();
        json!({ "lists": lists, "count": 70 })
    };
    for (rest, wanted) in [(20, Ok(70)), (0, Err(ErrorKind::Incomplete))] {
        let server = MockServer::start().await;
        let page = |offset: &'static str| Mock::given(path("/v3/contacts/lists")).and(query_param("offset", offset));
        page("0").respond_with(ok(&lists(0, 50))).mount(&server).await;
        page("50").respond_with(ok(&lists(50, rest))).mount(&server).await;
        let nothing = ok(&json!({ "contacts": [], "count": 0 }));
        Mock::given(any()).respond_with(nothing).with_priority(9).mount(&server).await;
        let account = connect(&server, json!({})).probe(&CX).await;
        assert_eq!(account.map(|account| account.lists.len()).map_err(|error| error.kind()), wanted);
    }
}

#[test]
fn the_limits_are_the_vendors_for_each_tier_and_say_where_it_states_them() {
    let info = (unisson_brevo::KIND.info)();
    assert_eq!((info.kind, unisson_brevo::KIND.name), ("brevo", "brevo"));
    for (tier, contacts, others) in [("general", 10, 100), ("advanced", 20, 200), ("extended", 60, 600)] {
        let limits = build(&json!({ "tier": tier })).unwrap().info().limits.clone();
        let rate = |limiter: &Limiter| match limiter.allowance {
            Allowance::Rate { calls, per } => (limiter.path_part, calls.get(), per),
            Allowance::Concurrent(_) => panic!("Brevo counts calls"),
        };
        let (second, hour) = (Duration::from_secs(1), Duration::from_hours(1));
        let wanted =
            [("/contacts", contacts, second), ("/smtp/blockedContacts", 1_000, second), ("/account", others, hour)];
        assert_eq!(limits.iter().map(rate).collect::<Vec<_>>(), wanted, "{tier}");
        assert!(limits.iter().all(|limiter| limiter.docs.starts_with("https://developers.brevo.com/")));
    }
    assert!(!"/v3/smtp/blockedContacts".contains("/contacts"), "each call counts where it belongs");
}

#[tokio::test]
async fn two_keys_of_one_account_share_its_allowance() {
    let server = always(problem(429, "too_many_requests", "").insert_header("retry-after", "120")).await;
    let limited = connect(&server, json!({ "account": "main" })).probe(&CX).await.unwrap_err();
    assert_eq!(limited.kind(), ErrorKind::RateLimited(Some(Duration::from_mins(2))));
    for (account, calls) in [("main", 1), ("other", 2)] {
        let connector = connect(&server, json!({ "account": account }));
        let patience = if calls == 1 { Duration::from_millis(200) } else { Duration::from_secs(20) };
        assert_eq!(tokio::time::timeout(patience, connector.probe(&CX)).await.is_err(), calls == 1, "{account}");
        assert_eq!(lines(&server).await.len(), calls, "{account}");
    }
}
