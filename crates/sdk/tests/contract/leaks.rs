//! Leaks (L): with everything logged that can be logged, by us and by every library below, no canary sings.

use std::io;
use std::sync::{Arc, LazyLock, Mutex};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use secrecy::SecretString;
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;
use unisson_sdk::{Auth, Call, Client, Deadlines, Link, MemoryTokens, OAuth2, segment};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::fault::{Platform, Step, head};
use crate::support::{brisk, shown};

const SECRET: &str = "canary-Secret-9f31";
const ADDRESS: &str = "canary.jane+x@leaks.example";
const PHONE: &str = "+4930901820777";
const NAME: &str = "Canaria Sängerin";

/// Everything that anything logged since the first look.
static LOG: LazyLock<Log> = LazyLock::new(|| {
    let log = Log::default();
    // also takes in what libraries write with the older `log`
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::level_filters::LevelFilter::TRACE);
    subscriber.with_ansi(false).with_writer(log.clone()).init();
    log
});

#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl io::Write for Log {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// The canaries in every dress that a log might show them in.
fn canaries() -> Vec<String> {
    let mut all = Vec::new();
    for canary in [SECRET, ADDRESS, PHONE, NAME] {
        let json = serde_json::to_string(canary).unwrap();
        all.extend([canary.to_owned(), segment(canary), canary.replace('+', "%2B"), json.trim_matches('"').to_owned()]);
        all.extend([STANDARD.encode(canary), URL_SAFE_NO_PAD.encode(canary), canary.escape_debug().to_string()]);
    }
    all.extend([STANDARD.encode(format!("{SECRET}:{SECRET}")), "canary".to_owned(), "Canaria".to_owned()]);
    all
}

#[track_caller]
fn assert_silent(text: &str, place: &str) {
    for canary in canaries() {
        let at = text.find(&canary);
        assert!(at.is_none(), "{canary} in {place}: …{}", &text[at.unwrap_or(0).saturating_sub(200)..]);
    }
}

fn credentials(token_url: &str) -> Vec<Auth> {
    let secret = || SecretString::from(SECRET);
    vec![
        Auth::None,
        Auth::Bearer(secret()),
        Auth::Basic { user: SECRET.to_owned(), password: secret() },
        Auth::Header { name: http::HeaderName::from_static("api-key"), value: secret() },
        Auth::OAuth2(OAuth2 {
            token_url: token_url.parse().unwrap(),
            client_id: "app".to_owned(),
            client_secret: secret(),
            refresh_token: secret(),
            instance: "crm".to_owned(),
            tokens: Arc::new(MemoryTokens::default()),
        }),
    ]
}

/// Calls with a canary wherever a connector can put one.
fn calls(client: &Client) -> Vec<Call> {
    let person = json!({ "email": ADDRESS, "phone": PHONE, "name": NAME });
    let path = |text: &str| format!("/contacts/{}", segment(text));
    vec![
        client.get(&path(ADDRESS)).query("email", ADDRESS).query(ADDRESS, PHONE).header("x-person", ADDRESS),
        client.get(&path(PHONE)),
        client.get(&path(NAME)),
        client.get(&format!("/contacts/{ADDRESS}")),
        client.get(&format!("/contacts?{ADDRESS}")),
        client.get_link(&format!("https://leaks.example/?email={ADDRESS}&key={SECRET}")),
        client.get_link(ADDRESS),
        client.post(&path(ADDRESS)).json(&person),
        client.put(&path(ADDRESS)).form(&[("email", ADDRESS)]),
        client.delete(&path(ADDRESS)).header("x-person", format!("{ADDRESS}\n")),
    ]
}

async fn exercise(link: impl Fn() -> Link) {
    let token_url = format!("{}oauth/token", link().base_url);
    for auth in credentials(&token_url) {
        assert_silent(&format!("{auth:?} {auth:#?}"), "Debug of the credentials");
        let mut link = link();
        link.auth = auth;
        assert_silent(&format!("{link:?} {link:#?}"), "Debug of the link");
        let client = link.connect().unwrap();
        assert_silent(&format!("{client:?} {client:#?}"), "Debug of the client");
        for call in calls(&client) {
            assert_silent(&format!("{call:?} {call:#?}"), "Debug of a call");
            match call.send("do something").await {
                Err(error) => assert_silent(&shown(&error), "an error"),
                Ok(reply) => {
                    assert_silent(&format!("{reply:?} {reply:#?}"), "Debug of a reply");
                    if let Err(error) = reply.json::<Vec<u64>>() {
                        assert_silent(&shown(&error), "an error of a document");
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn l01_l02_l04_no_secret_and_no_person_is_in_a_log_or_an_error() {
    let log = &*LOG;
    let body =
        json!({ "error": ADDRESS, "detail": format!("{NAME} {PHONE} {SECRET}"), "access_token": SECRET, ADDRESS: 1 });
    let mut settled = 0;
    for status in [200, 302, 400, 401, 403, 404, 422, 429, 500] {
        let server = MockServer::start().await;
        let answer = ResponseTemplate::new(status).set_body_json(&body).insert_header("x-person", ADDRESS);
        let answer = answer.insert_header("location", format!("https://leaks.example/{ADDRESS}").as_str());
        Mock::given(any()).respond_with(answer).mount(&server).await;
        exercise(|| {
            let mut link = brisk(&server.uri());
            link.attempts_max = 2;
            link
        })
        .await;
        settled += 1;
    }
    let cut = [head(&["content-length: 500"]), body.to_string().into_bytes()].concat();
    let zipped = [head(&["content-encoding: gzip", "content-length: 27"]), ADDRESS.as_bytes().to_vec()].concat();
    let stalled = vec![Step::Say(cut.clone()), Step::Stall];
    for part in
        [vec![Step::Reset], vec![Step::Say(cut)], vec![Step::Say(zipped)], stalled, vec![Step::Say(ADDRESS.into())]]
    {
        let platform = Platform::playing(vec![part]).await;
        exercise(|| {
            let mut link = brisk(&platform.url());
            link.attempts_max = 1;
            link.deadlines = Deadlines { idle: std::time::Duration::from_millis(20), ..Deadlines::default() };
            link
        })
        .await;
        settled += 1;
    }
    assert_eq!(settled, 14);
    let text = log.text();
    assert!(
        text.contains("the platform answered") && text.contains("/contacts/{address}"),
        "our own lines are missing"
    );
    assert!(text.contains("TRACE") && text.contains("reqwest"), "the libraries' lines are missing");
    assert_silent(&text, "the log");
}

#[tokio::test]
async fn l07_no_credential_leaves_for_another_host() {
    let (here, elsewhere) = (MockServer::start().await, MockServer::start().await);
    let away = format!("{}/steal", elsewhere.uri());
    let answer = ResponseTemplate::new(307).insert_header("location", away.as_str());
    Mock::given(any()).respond_with(answer).mount(&here).await;
    Mock::given(any()).respond_with(ResponseTemplate::new(200)).expect(0).mount(&elsewhere).await;
    for auth in credentials(&format!("{}/oauth/token", here.uri())) {
        let mut link = brisk(&here.uri());
        link.auth = auth;
        let client = link.connect().unwrap();
        for call in [client.get("/a"), client.post("/a"), client.get_link(&away), client.get(&format!("/{away}"))] {
            call.send("read").await.unwrap_err();
        }
    }
    assert!(elsewhere.received_requests().await.unwrap().is_empty());
}
