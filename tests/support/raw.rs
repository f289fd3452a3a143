//! A platform that says exactly what it is told to: a loopback server for answers that no twin of a vendor would give.
//!
//! It understands as much of HTTP/1.1 as a client sends (RFC 9112), and judges nothing.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The longest line of a request's head, in bytes.
const LINE_BYTES_MAX: u64 = 64 * 1024;
/// The most lines of a head.
const LINES_MAX: usize = 100;
/// How long a connection may be silent.
const SILENCE_MAX: Duration = Duration::from_mins(1);

/// What is answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Headers beside the length, such as `content-type: application/json`.
    pub headers: Vec<String>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// A document.
    pub fn json(body: impl Into<Vec<u8>>) -> Self {
        Self { status: 200, headers: vec!["content-type: application/json".to_owned()], body: body.into() }
    }

    /// The same with one header more.
    #[must_use]
    pub fn with(mut self, header: &str) -> Self {
        self.headers.push(header.to_owned());
        self
    }
}

/// A server on loopback. It ends with the value.
#[derive(Debug)]
pub struct Raw {
    address: SocketAddr,
    stopped: Arc<AtomicBool>,
}

impl Raw {
    /// Starts a server that answers every request line, such as `GET /lists?count=10`, by this rule.
    ///
    /// # Panics
    /// Where the machine refuses a socket.
    pub fn start(play: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a socket");
        let address = listener.local_addr().expect("a bound socket has an address");
        let stopped = Arc::new(AtomicBool::new(false));
        let (play, stop) = (Arc::new(play), Arc::clone(&stopped));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                let play = Arc::clone(&play);
                // Whoever hangs up is served no further.
                let Ok(stream) = stream else { continue };
                std::thread::spawn(move || drop(serve(&stream, &*play)));
            }
        });
        Self { address, stopped }
    }

    /// Where it is.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        // Wakes the listener, which then sees that it is over.
        drop(TcpStream::connect(self.address));
    }
}

fn serve(stream: &TcpStream, play: &dyn Fn(&str) -> Answer) -> io::Result<()> {
    stream.set_read_timeout(Some(SILENCE_MAX))?;
    stream.set_nodelay(true)?;
    let mut input = BufReader::new(stream);
    loop {
        let line = line(&mut input)?;
        if line.is_empty() {
            return Ok(());
        }
        pass_rest(&mut input)?;
        let request = line.rsplit_once(' ').map_or(line.as_str(), |(request, _)| request);
        let Answer { status, headers, body } = play(request);
        let headers = headers.iter().flat_map(|header| [header.as_str(), "\r\n"]).collect::<String>();
        let head = format!("HTTP/1.1 {status} -\r\ncontent-length: {}\r\n{headers}\r\n", body.len());
        let mut output = stream;
        output.write_all(&[head.as_bytes(), &body].concat())?;
    }
}

/// Passes over the rest of a head and the body.
fn pass_rest(input: &mut BufReader<&TcpStream>) -> io::Result<()> {
    let mut length = 0;
    for _ in 0..LINES_MAX {
        let line = line(input)?;
        if line.is_empty() {
            io::copy(&mut input.take(length), &mut io::sink())?;
            return Ok(());
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().map_err(io::Error::other)?;
        }
    }
    Err(io::Error::other("the head has no end"))
}

/// A line of the head, without its end; empty at the end of the head or of the connection.
fn line(input: &mut BufReader<&TcpStream>) -> io::Result<String> {
    let mut line = String::new();
    input.take(LINE_BYTES_MAX).read_line(&mut line)?;
    Ok(line.trim_end().to_owned())
}
