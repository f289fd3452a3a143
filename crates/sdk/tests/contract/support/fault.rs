//! A platform on a raw socket that does what no server should: cut, stall, drip, reset, lie about its compression.

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use rustls::pki_types::PrivatePkcs8KeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

/// The longest request head that the server reads.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// One thing that the server does once it has read a request.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Says this.
    Say(Vec<u8>),
    /// Says this byte by byte, with so much time between.
    Drip(Vec<u8>, Duration),
    /// Says nothing more, and does not hang up either.
    Stall,
    /// Breaks the connection with a reset.
    Reset,
}

/// The server. Each connection plays the next part; the last part is played for ever. After its part it hangs up.
#[derive(Debug)]
pub(crate) struct Platform {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Platform {
    pub(crate) async fn playing(parts: Vec<Vec<Step>>) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").await.unwrap(), parts)
    }

    pub(crate) fn on(listener: TcpListener, parts: Vec<Vec<Step>>) -> Self {
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&connections);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let number = counter.fetch_add(1, Ordering::SeqCst);
                let part = parts[number.min(parts.len() - 1)].clone();
                tokio::spawn(play(stream, part));
            }
        });
        Self { address, connections }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How often somebody connected.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

async fn play(mut stream: TcpStream, part: Vec<Step>) {
    let mut head = Vec::new();
    let mut piece = [0; 1024];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") && head.len() < HEAD_BYTES_MAX {
        match stream.read(&mut piece).await {
            Ok(read) if read > 0 => head.extend_from_slice(&piece[..read]),
            _ => return,
        }
    }
    for step in part {
        match step {
            Step::Say(text) => {
                if stream.write_all(&text).await.is_err() {
                    return;
                }
            }
            Step::Drip(text, pause) => {
                for byte in text {
                    if stream.write_all(&[byte]).await.is_err() {
                        return;
                    }
                    sleep(pause).await;
                }
            }
            Step::Stall => std::future::pending().await,
            Step::Reset => {
                stream.set_zero_linger().unwrap();
                return;
            }
        }
    }
    let _ = stream.shutdown().await;
}

/// A server with a certificate of its own making: its address, and how often somebody connected.
pub(crate) async fn untrusted() -> (String, Arc<AtomicUsize>) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = builder.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key.into()).unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let connections = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counter.fetch_add(1, Ordering::SeqCst);
            let said = acceptor.accept(stream).await;
            assert!(said.is_err(), "the client went on with a certificate that nobody trusts");
        }
    });
    (url, connections)
}

/// The head of an answer with these lines, and the end of the head.
pub(crate) fn head(lines: &[&str]) -> Vec<u8> {
    let mut text = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n".to_owned();
    for line in lines {
        text.push_str(line);
        text.push_str("\r\n");
    }
    text.push_str("\r\n");
    text.into_bytes()
}

/// A whole, good answer.
pub(crate) fn good() -> Vec<Step> {
    vec![Step::Say([head(&["content-length: 11"]), br#"{"ok":true}"#.to_vec()].concat())]
}

/// So many million zeros, compressed.
pub(crate) fn zeros(millions: usize) -> Vec<u8> {
    let (mut compressed, million) = (GzEncoder::new(Vec::new(), Compression::fast()), vec![0; 1_000_000]);
    for _ in 0..millions {
        compressed.write_all(&million).unwrap();
    }
    compressed.finish().unwrap()
}
