//! Transport (T): connections and bodies that break in every way, on a real socket, with short deadlines.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use unisson_connector::ErrorKind;
use unisson_sdk::{Client, Deadlines};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::fault::{Platform, Step, good, head, untrusted, zeros};
use crate::support::{assert_kind, brisk, shown};

const SHORT: Deadlines = Deadlines {
    connect: Duration::from_secs(2),
    first_byte: Duration::from_millis(150),
    idle: Duration::from_millis(150),
    total: Duration::from_secs(5),
};

fn client(url: &str) -> Client {
    let mut link = brisk(url);
    link.deadlines = SHORT;
    link.connect().unwrap()
}

/// A fault, once: a GET recovers from it, a POST is lost without a second attempt. For ever: a GET ends as transient.
async fn assert_recovers(part: Vec<Step>) {
    let once = Platform::playing(vec![part.clone(), good()]).await;
    let reply = client(&once.url()).get("/a").send("read").await.unwrap();
    assert_eq!((reply.body().as_ref(), once.connections()), (&br#"{"ok":true}"#[..], 2));
    let unsafe_once = Platform::playing(vec![part.clone(), good()]).await;
    assert_kind(client(&unsafe_once.url()).post("/a").send("write").await, ErrorKind::Lost);
    assert_eq!(unsafe_once.connections(), 1, "what may have been done must not be done again");
    let for_ever = Platform::playing(vec![part]).await;
    let mut link = brisk(&for_ever.url());
    (link.deadlines, link.attempts_max) = (SHORT, 2);
    assert_kind(link.connect().unwrap().get("/a").send("read").await, ErrorKind::Transient);
    assert_eq!(for_ever.connections(), 2);
}

#[tokio::test]
async fn t01_a_refused_connection_is_tried_again_even_for_what_must_not_be_repeated() {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = port.local_addr().unwrap();
    drop(port);
    assert_kind(client(&format!("http://{address}")).get("/a").send("read").await, ErrorKind::Transient);
    let opening = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(60)).await;
        Platform::on(TcpListener::bind(address).await.unwrap(), vec![good()])
    });
    let mut link = brisk(&format!("http://{address}"));
    link.attempts_max = 20;
    link.connect().unwrap().post("/a").send("write").await.unwrap();
    assert_eq!(opening.await.unwrap().connections(), 1);
}

#[tokio::test]
async fn t03_what_does_not_speak_tls_is_not_spoken_to() {
    let plain = Platform::playing(vec![good()]).await;
    let mut link = brisk(&plain.url().replace("http:", "https:"));
    link.deadlines = Deadlines { connect: Duration::from_millis(100), ..SHORT };
    link.attempts_max = 2;
    assert_kind(link.connect().unwrap().post("/a").send("write").await, ErrorKind::Transient);
    assert_eq!(plain.connections(), 2, "while no connection stands, nothing was sent");
}

#[tokio::test]
async fn t03_a_certificate_that_nobody_trusts_is_refused_once_and_nothing_is_said_to_it() {
    let (url, connections) = untrusted().await;
    let error = client(&url).get("/a").send("read").await.unwrap_err();
    assert_eq!((error.kind(), connections.load(Ordering::SeqCst)), (ErrorKind::Config, 1), "{}", shown(&error));
    assert!(shown(&error).contains("certificate"), "{}", shown(&error));
}

#[tokio::test]
async fn t04_a_reset_before_the_head_is_recovered_from() {
    assert_recovers(vec![Step::Reset]).await;
    assert_recovers(vec![]).await;
    assert_recovers(vec![Step::Say(b"HTTP/1.1 200 O".to_vec())]).await;
}

#[tokio::test]
async fn t05_a_body_shorter_than_said_is_never_half_a_page() {
    assert_recovers(vec![Step::Say([head(&["content-length: 11"]), br#"{"ok":"#.to_vec()].concat())]).await;
    assert_recovers(vec![Step::Say([head(&["content-length: 11"]), br#"{"ok":"#.to_vec()].concat()), Step::Reset])
        .await;
}

#[tokio::test]
async fn t06_a_cut_chunked_body_is_never_half_a_page() {
    let cut = [head(&["transfer-encoding: chunked"]), b"6\r\n{\"ok\":\r\n".to_vec()].concat();
    assert_recovers(vec![Step::Say(cut)]).await;
    let in_a_chunk = [head(&["transfer-encoding: chunked"]), b"b\r\n{\"ok\":".to_vec()].concat();
    assert_recovers(vec![Step::Say(in_a_chunk)]).await;
}

#[tokio::test]
async fn t07_a_stall_is_noticed_before_the_head_and_within_the_body() {
    let before = Instant::now();
    assert_recovers(vec![Step::Stall]).await;
    assert_recovers(vec![Step::Say([head(&["content-length: 11"]), br#"{"ok":"#.to_vec()].concat()), Step::Stall])
        .await;
    assert!(
        before.elapsed() < SHORT.total,
        "each of eight stalls is noticed by its own deadline, not by the total one"
    );
    let named = Deadlines::default();
    assert!(named.idle <= Duration::from_mins(1) && named.first_byte <= Duration::from_mins(1));
}

#[tokio::test]
async fn t08_a_slow_drip_meets_the_total_deadline() {
    let drip = vec![
        Step::Say(head(&["content-length: 11"])),
        Step::Drip(br#"{"ok":true}"#.to_vec(), Duration::from_millis(50)),
    ];
    let platform = Platform::playing(vec![drip]).await;
    let mut link = brisk(&platform.url());
    link.deadlines = Deadlines { total: Duration::from_millis(200), ..SHORT };
    link.attempts_max = 1;
    let client = link.connect().unwrap();
    let before = Instant::now();
    let error = client.get("/a").send("read").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transient);
    assert!(before.elapsed() >= Duration::from_millis(200));
    assert_kind(client.post("/a").send("write").await, ErrorKind::Lost);
}

#[tokio::test]
async fn t09_bad_gzip_is_a_typed_error_and_not_a_page() {
    let compressed = zeros(1);
    for body in [
        b"no gzip at all".to_vec(),
        compressed[..compressed.len() / 2].to_vec(),
        [&compressed[..100], &[0xff; 50]].concat(),
    ] {
        let length = format!("content-length: {}", body.len());
        let answer = vec![Step::Say([head(&["content-encoding: gzip", &length]), body].concat())];
        let platform = Platform::playing(vec![answer.clone()]).await;
        assert_kind(client(&platform.url()).get("/a").send("read").await, ErrorKind::Contract);
        assert_kind(client(&platform.url()).post("/a").send("write").await, ErrorKind::Lost);
    }
}

#[tokio::test]
async fn t10_a_gzip_bomb_is_a_typed_error_in_bounded_memory() {
    let bomb = zeros(400);
    let length = format!("content-length: {}", bomb.len());
    assert!(bomb.len() < 4_000_000, "the bomb is small on the wire");
    let answer = vec![Step::Say([head(&["content-encoding: gzip", &length]), bomb].concat())];
    let platform = Platform::playing(vec![answer]).await;
    let mut link = brisk(&platform.url());
    link.body_bytes_max = 1_500_000;
    let before = peak_kib();
    assert_kind(link.connect().unwrap().get("/a").send("read").await, ErrorKind::Bounds);
    let grown = peak_kib() - before;
    assert!(grown < 100 * 1024, "the bomb took {grown} KiB");
}

/// The most memory that the process ever had; zero where the system does not tell.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse().ok()).unwrap_or(0)
}

#[tokio::test]
async fn p15_a_body_longer_than_allowed_is_a_typed_error_whether_it_says_so_or_not() {
    let said = vec![Step::Say([head(&["content-length: 3000"]), vec![b' '; 3_000]].concat())];
    let unsaid = vec![Step::Say(
        [head(&["transfer-encoding: chunked"]), b"bb8\r\n".to_vec(), vec![b' '; 3_000], b"\r\n0\r\n\r\n".to_vec()]
            .concat(),
    )];
    for answer in [said, unsaid] {
        let platform = Platform::playing(vec![answer]).await;
        for (body_bytes_max, fits) in [(3_000, true), (2_999, false)] {
            let mut link = brisk(&platform.url());
            link.body_bytes_max = body_bytes_max;
            let result = link.connect().unwrap().get("/a").send("read").await;
            assert_eq!(result.as_ref().err().map(unisson_connector::Error::kind), (!fits).then_some(ErrorKind::Bounds));
        }
    }
}

#[tokio::test]
async fn t11_redirects_are_not_followed_in_a_loop_nor_to_another_host() {
    let (here, elsewhere) = (MockServer::start().await, MockServer::start().await);
    for (from, to) in [("/loop", "/loop".to_owned()), ("/away", format!("{}/steal", elsewhere.uri()))] {
        let answer = ResponseTemplate::new(302).insert_header("location", to.as_str());
        Mock::given(method("GET")).and(path(from)).respond_with(answer).expect(1).mount(&here).await;
    }
    Mock::given(wiremock::matchers::any()).respond_with(ResponseTemplate::new(200)).expect(0).mount(&elsewhere).await;
    let client = client(&here.uri());
    assert_kind(client.get("/loop").send("read").await, ErrorKind::Contract);
    assert_kind(client.get("/away").send("read").await, ErrorKind::Contract);
}

#[tokio::test]
async fn a_link_without_tls_is_for_loopback_only() {
    for open in [
        "http://api.example.org",
        "http://10.0.0.1/",
        "http://localhost.example.org",
        "ftp://127.0.0.1",
        "https://a:b@api.example.org",
        "https://api.example.org/?key=1",
    ] {
        let error = brisk(open).connect().unwrap_err();
        assert_eq!((error.kind(), error.context()[0].1.as_str()), (ErrorKind::Config, "base_url"), "{open}");
    }
    for fine in ["http://127.0.0.1:1", "http://[::1]:1/v1", "http://localhost:1", "https://api.example.org/3.0"] {
        assert!(brisk(fine).connect().is_ok(), "{fine}");
    }
}
