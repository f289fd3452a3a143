//! Settings: what is wrong is said before anything is sent, with the place and the remedy.

use serde_json::json;

use crate::fake::build;

#[test]
fn the_data_centre_comes_from_the_key() {
    // The key of these tests ends in `-us0`.
    assert!(build(&json!({})).is_ok());
}

#[test]
fn what_is_wrong_is_named_with_its_place_and_never_repeated() {
    let form = json!({ "source": "Spring form", "notice": "N3" });
    let table = [
        (json!({ "page_size": 0 }), "page_size", "1 and 1000"),
        (json!({ "page_size": 1001 }), "page_size", "1 and 1000"),
        (json!({ "api_key": "canary-us0" }), "api_key", "env"),
        (json!({ "base_url": "not an address canary" }), "base_url", "https://"),
        (json!({ "base_url": "http://mailchimp.example" }), "base_url", ""),
        (json!({ "forms": [form, form] }), "forms", "two forms"),
        (json!({ "forms": [{ "source": " ", "notice": "N3" }] }), "forms", "source"),
        (json!({ "forms": [{ "source": "a" }] }), "forms[0].notice", "missing"),
        (json!({ "pagesize": 3 }), "pagesize", "page_size"),
    ];
    for (settings, place, words) in table {
        let error = build(&settings).map(|_| ()).unwrap_err();
        assert_eq!(error.path(), place, "{settings}");
        assert!(error.message().contains(words), "{settings}: {error}");
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    }
}
