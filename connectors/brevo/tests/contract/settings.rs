//! Settings: what is wrong is said before anything is sent, with the place and the remedy.

use serde_json::json;

use crate::fake::build;

#[test]
fn a_key_is_enough() {
    assert!(build(&json!({})).is_ok());
}

#[test]
fn what_is_wrong_is_named_with_its_place_and_never_repeated() {
    let table = [
        (json!({ "page_size": 0 }), "page_size", "1 and 1000"),
        (json!({ "page_size": 1001 }), "page_size", "1 and 1000"),
        (json!({ "api_key": "xkeysib-canary" }), "api_key", "env"),
        (json!({ "base_url": "not an address canary" }), "base_url", "https://"),
        (json!({ "base_url": "http://brevo.example/v3" }), "base_url", "TLS"),
        (json!({ "tier": "canary" }), "tier", "general, advanced, extended"),
        (json!({ "pagesize": 3 }), "pagesize", "page_size"),
    ];
    for (settings, place, words) in table {
        let error = build(&settings).map(|_| ()).unwrap_err();
        assert_eq!(error.path(), place, "{settings}");
        assert!(error.message().contains(words), "{settings}: {error}");
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    }
}
