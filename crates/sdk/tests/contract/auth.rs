//! Credentials (A): fixed ones that are refused, and tokens that are renewed.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures::future::join_all;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::{Instant, sleep};
use unisson_connector::{Error, ErrorKind, Result};
use unisson_sdk::{Auth, Client, Link, MemoryTokens, OAuth2, Request, Response, Rotated, TokenStore};

use crate::support::script::{Script, answer, json};
use crate::support::{assert_kind, link, shown};

/// A platform whose access tokens are `access-1`, `access-2` … and of which only the newest is good. Refresh tokens are
/// spent by use where it rotates them.
struct Vendor {
    rotates: bool,
    expires_in: &'static str,
    state: Mutex<(usize, String)>,
}

impl Vendor {
    fn new(rotates: bool, expires_in: &'static str) -> Arc<Self> {
        Arc::new(Self { rotates, expires_in, state: Mutex::new((0, "refresh-0".to_owned())) })
    }

    fn answer(&self, request: &Request) -> Response {
        let mut state = self.state.lock().unwrap();
        if request.url.path() == "/oauth/token" {
            let form = String::from_utf8(request.body.to_vec()).unwrap();
            let asked =
                format!("grant_type=refresh_token&refresh_token={}&client_id=app&client_secret=app-secret", state.1);
            if form != asked {
                return json(400, r#"{"error":"invalid_grant","error_description":"jane@example.org"}"#);
            }
            state.0 += 1;
            let mut extra = String::new();
            if self.rotates {
                state.1 = format!("refresh-{}", state.0);
                extra = format!(r#","refresh_token":"{}""#, state.1);
            }
            let (number, life) = (state.0, self.expires_in);
            return json(
                200,
                &format!(r#"{{"access_token":"access-{number}","token_type":"bearer","expires_in":{life}{extra}}}"#),
            );
        }
        let good = format!("Bearer access-{}", state.0);
        let sent = request.headers.get("authorization").and_then(|value| value.to_str().ok());
        answer(if sent == Some(&good) { 200 } else { 401 })
    }

    /// Makes the present access token worthless.
    fn revoke(&self) {
        self.state.lock().unwrap().0 += 1;
    }

    fn script(self: &Arc<Self>) -> Arc<Script> {
        let vendor = Arc::clone(self);
        Script::slow(Duration::from_millis(100), move |_, request| Ok(vendor.answer(request)))
    }
}

fn oauth(tokens: Arc<dyn TokenStore>) -> Link {
    let mut link = link("https://api.example.org");
    link.auth = Auth::OAuth2(OAuth2 {
        token_url: "https://api.example.org/oauth/token".parse().unwrap(),
        client_id: "app".to_owned(),
        client_secret: SecretString::from("app-secret"),
        refresh_token: SecretString::from("refresh-0"),
        instance: "crm".to_owned(),
        tokens,
    });
    link
}

fn renewals(script: &Script) -> usize {
    script.calls().iter().filter(|call| call.path == "/oauth/token").count()
}

async fn kept(tokens: &dyn TokenStore) -> Option<String> {
    tokens.load("crm").await.unwrap().map(|rotated| rotated.token.expose_secret().to_owned())
}

async fn read(client: &Client) -> Result<unisson_sdk::Reply> {
    client.get("/contacts").send("read a page").await
}

#[tokio::test(start_paused = true)]
async fn a01_a_refused_key_is_a_matter_of_settings_and_not_tried_again() {
    for auth in [
        Auth::Bearer(SecretString::from("key")),
        Auth::Basic { user: "any".to_owned(), password: SecretString::from("key") },
        Auth::Header { name: http::HeaderName::from_static("api-key"), value: SecretString::from("key") },
        Auth::None,
    ] {
        let script = Script::playing(vec![answer(401)]);
        let mut link = link("https://api.example.org");
        link.auth = auth;
        let error = read(&link.connect_over(script.clone()).unwrap()).await.unwrap_err();
        assert_eq!((error.kind(), script.count()), (ErrorKind::Config, 1));
        assert!(shown(&error).contains("set a key that is valid for this account"), "{}", shown(&error));
    }
}

#[tokio::test]
async fn a01_credentials_that_no_header_can_carry_are_refused_before_anything_is_sent() {
    for unfit in ["", " ", "key\n", "schlüssel"] {
        let mut link = link("https://api.example.org");
        link.auth = Auth::Header { name: http::HeaderName::from_static("api-key"), value: SecretString::from(unfit) };
        assert_kind(link.connect(), ErrorKind::Config);
    }
}

#[tokio::test(start_paused = true)]
async fn a02_a_token_that_ends_in_the_middle_is_renewed_once_and_the_call_goes_on() {
    let vendor = Vendor::new(false, "1800");
    let script = vendor.script();
    let client = oauth(Arc::new(MemoryTokens::default())).connect_over(script.clone()).unwrap();
    read(&client).await.unwrap();
    vendor.revoke();
    client.post("/contacts").send("write").await.unwrap();
    assert_eq!(renewals(&script), 2, "one to begin with and one after the 401");
    read(&client).await.unwrap();
    assert_eq!(renewals(&script), 2);
}

#[tokio::test(start_paused = true)]
async fn a02_a_token_is_renewed_before_it_ends() {
    for (expires_in, good_for) in [("1800", 1_739), ("\"1800\"", 1_739), ("60", 29), ("1e12", 86_339)] {
        let script = Vendor::new(false, expires_in).script();
        let client = oauth(Arc::new(MemoryTokens::default())).connect_over(script.clone()).unwrap();
        read(&client).await.unwrap();
        sleep(Duration::from_secs(good_for)).await;
        read(&client).await.unwrap();
        assert_eq!(renewals(&script), 1, "{expires_in}");
        sleep(Duration::from_secs(2)).await;
        read(&client).await.unwrap();
        assert_eq!(renewals(&script), 2, "{expires_in}");
    }
    for unknown in ["0", "-1", "null", "\"soon\""] {
        let script = Vendor::new(false, unknown).script();
        let client = oauth(Arc::new(MemoryTokens::default())).connect_over(script.clone()).unwrap();
        read(&client).await.unwrap();
        sleep(Duration::from_hours(48)).await;
        read(&client).await.unwrap();
        assert_eq!(renewals(&script), 1, "{unknown}: used until it is refused");
    }
}

#[tokio::test(start_paused = true)]
async fn a03_eight_refused_calls_in_flight_renew_once() {
    let vendor = Vendor::new(true, "1800");
    let script = vendor.script();
    let tokens: Arc<dyn TokenStore> = Arc::new(MemoryTokens::default());
    let one = oauth(Arc::clone(&tokens)).connect_over(script.clone()).unwrap();
    let other = oauth(tokens).connect_over(script.clone()).unwrap();
    let start = join_all((0..8).map(|call| read(if call % 2 == 0 { &one } else { &other }))).await;
    assert!(start.iter().all(std::result::Result::is_ok));
    assert_eq!(renewals(&script), 1, "to begin with");
    vendor.revoke();
    let results = join_all((0..8).map(|call| read(if call % 2 == 0 { &one } else { &other }))).await;
    assert!(results.iter().all(std::result::Result::is_ok));
    assert_eq!(renewals(&script), 2, "for eight calls that were refused");
}

/// A store that records what was sent before it kept anything, and can fail.
#[derive(Debug)]
struct Witness {
    inner: MemoryTokens,
    script: Mutex<Option<Arc<Script>>>,
    sent_before: Mutex<Vec<usize>>,
    failing: Mutex<u32>,
}

impl Witness {
    fn new(failing: u32) -> Arc<Self> {
        let (script, sent_before) = (Mutex::default(), Mutex::default());
        Arc::new(Self { inner: MemoryTokens::default(), script, sent_before, failing: Mutex::new(failing) })
    }
}

#[async_trait]
impl TokenStore for Witness {
    async fn load(&self, instance: &str) -> Result<Option<Rotated>> {
        self.inner.load(instance).await
    }

    async fn store(&self, instance: &str, rotated: &Rotated) -> Result<()> {
        let sent = self.script.lock().unwrap().as_ref().map_or(0, |script| script.count() - renewals(script));
        self.sent_before.lock().unwrap().push(sent);
        {
            let mut failing = self.failing.lock().unwrap();
            if *failing > 0 {
                *failing -= 1;
                return Err(Error::new(ErrorKind::Transient, "write the token"));
            }
        }
        sleep(Duration::from_millis(300)).await;
        self.inner.store(instance, rotated).await
    }
}

#[tokio::test(start_paused = true)]
async fn a04_a_rotated_token_is_kept_before_its_access_token_is_used() {
    let vendor = Vendor::new(true, "1800");
    let script = vendor.script();
    let tokens = Witness::new(0);
    *tokens.script.lock().unwrap() = Some(script.clone());
    let client = oauth(tokens.clone()).connect_over(script.clone()).unwrap();
    read(&client).await.unwrap();
    assert_eq!(*tokens.sent_before.lock().unwrap(), [0], "calls that were sent before the token was kept");
    assert_eq!(kept(&*tokens).await.as_deref(), Some("refresh-1"));
    drop(client);
    // a new process: what is configured is spent, what is kept is good
    let client = oauth(tokens.clone()).connect_over(script.clone()).unwrap();
    read(&client).await.unwrap();
    assert_eq!(kept(&*tokens).await.as_deref(), Some("refresh-2"));
}

#[tokio::test(start_paused = true)]
async fn a04_a_token_that_could_not_be_kept_is_not_used_and_not_lost() {
    let vendor = Vendor::new(true, "1800");
    let script = vendor.script();
    let tokens = Witness::new(2);
    let client = oauth(tokens.clone()).connect_over(script.clone()).unwrap();
    read(&client).await.unwrap();
    assert_eq!(tokens.sent_before.lock().unwrap().len(), 3, "kept at the third attempt");
    assert_eq!((renewals(&script), kept(&*tokens).await.as_deref()), (1, Some("refresh-1")));
    let broken = Witness::new(u32::MAX);
    let script = Vendor::new(true, "1800").script();
    assert_kind(read(&oauth(broken).connect_over(script.clone()).unwrap()).await, ErrorKind::Transient);
    assert_eq!((script.count(), renewals(&script)), (1, 1), "no call with a token that is not kept");
}

#[tokio::test(start_paused = true)]
async fn a04_a_rotated_token_is_kept_even_when_nothing_else_of_the_answer_is_of_use() {
    let useless = r#"{"access_token":"a","token_type":"mac","refresh_token":"refresh-1"}"#;
    let tokens = Arc::new(MemoryTokens::default());
    let client = oauth(tokens.clone()).connect_over(Script::playing(vec![json(200, useless)])).unwrap();
    assert_kind(read(&client).await, ErrorKind::Contract);
    assert_eq!(kept(&*tokens).await.as_deref(), Some("refresh-1"));
}

#[tokio::test(start_paused = true)]
async fn a04_a_call_that_is_dropped_while_it_renews_loses_no_token() {
    let vendor = Vendor::new(true, "1800");
    let script = vendor.script();
    let tokens = Witness::new(0);
    let client = oauth(tokens.clone()).connect_over(script.clone()).unwrap();
    for dropped_after_ms in [50, 200] {
        let _ = tokio::time::timeout(Duration::from_millis(dropped_after_ms), read(&client)).await;
    }
    sleep(Duration::from_secs(1)).await;
    assert_eq!((renewals(&script), kept(&*tokens).await.as_deref()), (1, Some("refresh-1")));
    read(&client).await.unwrap();
    assert_eq!(renewals(&script), 1);
}

#[tokio::test(start_paused = true)]
async fn a05_a_platform_that_sends_no_new_refresh_token_leaves_the_old_one_good() {
    let vendor = Vendor::new(false, "1800");
    let script = vendor.script();
    let tokens = Arc::new(MemoryTokens::default());
    let client = oauth(tokens.clone()).connect_over(script.clone()).unwrap();
    for _renewal in 0..3 {
        read(&client).await.unwrap();
        vendor.revoke();
    }
    assert_eq!((renewals(&script), kept(&*tokens).await), (3, None));
}

#[tokio::test(start_paused = true)]
async fn a05_a_newly_configured_token_counts_more_than_one_kept_of_the_last() {
    let script = Vendor::new(true, "1800").script();
    let tokens = Arc::new(MemoryTokens::default());
    let old = Rotated { token: SecretString::from("refresh-of-another-grant"), descends_from: "another".to_owned() };
    tokens.store("crm", &old).await.unwrap();
    read(&oauth(tokens.clone()).connect_over(script.clone()).unwrap()).await.unwrap();
    assert_eq!(kept(&*tokens).await.as_deref(), Some("refresh-1"));
}

#[tokio::test(start_paused = true)]
async fn a07_a_revoked_grant_is_a_matter_of_settings_and_not_asked_about_again_and_again() {
    let vendor = Vendor::new(true, "1800");
    vendor.state.lock().unwrap().1 = "revoked".to_owned();
    let script = vendor.script();
    let client = oauth(Arc::new(MemoryTokens::default())).connect_over(script.clone()).unwrap();
    for result in join_all((0..8).map(|_| read(&client))).await {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        let shown = shown(&error);
        assert!(shown.contains("authorise the application again") && !shown.contains("jane"), "{shown}");
    }
    assert_eq!((script.count(), renewals(&script)), (1, 1));
    sleep(Duration::from_mins(2)).await;
    assert_kind(read(&client).await, ErrorKind::Config);
    assert_eq!(renewals(&script), 2);
}

#[tokio::test(start_paused = true)]
async fn a07_a_key_that_stays_refused_with_a_fresh_token_ends_the_call() {
    let script = Script::new(|_, request| match request.url.path() {
        "/oauth/token" => Ok(json(200, r#"{"access_token":"access","expires_in":1800}"#)),
        _ => Ok(answer(401)),
    });
    let client = oauth(Arc::new(MemoryTokens::default())).connect_over(script.clone()).unwrap();
    assert_kind(read(&client).await, ErrorKind::Config);
    assert_eq!((renewals(&script), script.count()), (2, 4));
}

#[tokio::test(start_paused = true)]
async fn a_token_endpoint_that_is_down_for_a_moment_does_not_cost_the_call() {
    let vendor = Vendor::new(true, "1800");
    let script = Script::new(move |call, request| match call {
        0 => Ok(answer(503)),
        1 => Err(Error::new(ErrorKind::Transient, "get an answer")),
        _ => Ok(vendor.answer(request)),
    });
    let client = oauth(Arc::new(MemoryTokens::default())).connect_over(script.clone()).unwrap();
    let before = Instant::now();
    client.post("/contacts").send("write").await.unwrap();
    assert!(renewals(&script) == 3 && before.elapsed() > Duration::ZERO);
    let html = Script::playing(vec![crate::support::script::with(answer(200), "content-type", "text/html")]);
    assert_kind(read(&oauth(Arc::new(MemoryTokens::default())).connect_over(html).unwrap()).await, ErrorKind::Contract);
    for unusable in
        [r#"{"access_token":""}"#, r#"{"access_token":"a\nb"}"#, r#"{"access_token":"a","token_type":"mac"}"#]
    {
        let script = Script::playing(vec![json(200, unusable)]);
        assert_kind(
            read(&oauth(Arc::new(MemoryTokens::default())).connect_over(script).unwrap()).await,
            ErrorKind::Contract,
        );
    }
}
