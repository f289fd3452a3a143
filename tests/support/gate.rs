//! A gate in front of every twin: it notes each call that passes, and can hold one of them while its sender is killed.
//!
//! It passes on bytes and reads no more of them than a call's line, length and body. Every call gets a connection of its
//! own, so that what a call is held by holds nothing else.

use std::collections::VecDeque;
use std::net::{SocketAddr, TcpListener as Door};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The longest call that passes.
const CALL_BYTES_MAX: usize = 8 * 1024 * 1024;
/// How long calls that are under way may take to end once their sender is dead.
const LAST_CALLS: Duration = Duration::from_secs(20);
/// How settings name where a platform is.
const TWIN: &str = "base_url = \"http://";

/// What a call is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It asks for something.
    Read,
    /// It asks for a change.
    Write,
}

/// Where a call is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Before the platform knows of it: it is never carried out.
    Before,
    /// Once it was carried out: its sender never learns of it.
    After,
}

/// Which call is to be held.
#[derive(Debug, Clone, Copy)]
pub struct Hold {
    /// What kind of call.
    pub kind: Kind,
    /// The how-manyeth of them in this chapter, from one on.
    pub number: u32,
    /// On which side.
    pub side: Side,
}

/// A call that came to the gate.
#[derive(Debug, Clone)]
pub struct Passage {
    /// In which chapter: usually one process.
    pub chapter: u32,
    /// What it is for.
    pub kind: Kind,
    /// The HTTP method.
    pub method: String,
    /// The path, with its query.
    pub path: String,
    /// The body.
    pub body: Vec<u8>,
    /// Whether the platform was asked.
    pub carried_out: bool,
    /// Whether the sender was given the answer.
    pub answered: bool,
}

/// The gate. It closes when it is dropped.
#[derive(Debug)]
pub struct Gate {
    book: Arc<Book>,
    doors: Vec<JoinHandle<()>>,
}

#[derive(Debug)]
struct Book {
    page: Mutex<Page>,
    /// Whether a call is held now.
    caught: watch::Sender<bool>,
    /// The chapter, and whether calls that are held in it may go on. Those of earlier ones never may.
    way: watch::Sender<(u32, bool)>,
    /// How many calls are under way.
    under_way: watch::Sender<usize>,
}

#[derive(Debug, Default)]
struct Page {
    chapter: u32,
    hold: Option<Hold>,
    seen: [u32; 2],
    passages: Vec<Passage>,
}

/// What becomes of a call.
struct Ticket {
    place: usize,
    chapter: u32,
    held: Option<Side>,
}

impl Gate {
    /// Puts a gate before every platform that the settings name, and gives back the settings that lead to it.
    ///
    /// # Panics
    /// Where the machine refuses a socket, or the settings name no platform of this machine.
    pub fn before(settings: &str) -> (Self, String) {
        let book = Arc::new(Book {
            page: Mutex::default(),
            caught: watch::Sender::new(false),
            way: watch::Sender::new((0, false)),
            under_way: watch::Sender::new(0),
        });
        let (mut text, mut doors) = (String::new(), Vec::new());
        let mut parts = settings.split(TWIN).collect::<VecDeque<_>>();
        text.push_str(parts.pop_front().expect("a split has a first part"));
        for part in parts {
            let end = part.find(['/', '"']).expect("an address ends");
            let twin: SocketAddr = part[..end].parse().expect("a twin is on this machine");
            let door = Door::bind("127.0.0.1:0").expect("a socket");
            door.set_nonblocking(true).expect("a socket that does not block");
            let own = door.local_addr().expect("its address");
            text.extend([TWIN, &own.to_string(), &part[end..]]);
            doors.push(tokio::spawn(watch_over(door, twin, Arc::clone(&book))));
        }
        assert!(!doors.is_empty(), "the settings name a platform");
        (Self { book, doors }, text)
    }

    /// Begins a chapter: from now on, calls are counted anew, and this one of them is held.
    pub fn begin(&self, hold: Option<Hold>) -> u32 {
        let mut page = self.book.page();
        page.chapter += 1;
        (page.hold, page.seen) = (hold, [0; 2]);
        self.book.caught.send_replace(false);
        self.book.way.send_replace((page.chapter, false));
        page.chapter
    }

    /// Waits until the call is held.
    pub async fn caught(&self) {
        let mut caught = self.book.caught.subscribe();
        // The sender lives as long as this gate.
        let _ = caught.wait_for(|caught| *caught).await;
    }

    /// Lets the held call go on its way.
    pub fn let_go(&self) {
        self.book.way.send_modify(|(_, open)| *open = true);
        self.book.caught.send_replace(false);
    }

    /// Waits until no call is under way, beside one that is held. To be asked once their sender is dead.
    ///
    /// # Panics
    /// Where they do not end.
    pub async fn settle(&self) {
        let mut under_way = self.book.under_way.subscribe();
        let ended = tokio::time::timeout(LAST_CALLS, under_way.wait_for(|calls| *calls == 0)).await;
        assert!(ended.is_ok(), "calls of a dead process go on");
    }

    /// Every call so far, in the order in which they came.
    pub fn passages(&self) -> Vec<Passage> {
        self.book.page().passages.clone()
    }

    /// How many calls came in this chapter: reads, then writes.
    pub fn seen(&self) -> [u32; 2] {
        self.book.page().seen
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.doors.iter().for_each(JoinHandle::abort);
    }
}

impl Book {
    fn page(&self) -> MutexGuard<'_, Page> {
        self.page.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a call and says whether it is the one to be held.
    fn enter(&self, call: &Call) -> Ticket {
        let mut page = self.page();
        page.seen[call.kind as usize] += 1;
        let number = page.seen[call.kind as usize];
        let held = page.hold.filter(|hold| hold.kind == call.kind && hold.number == number).map(|hold| hold.side);
        let chapter = page.chapter;
        page.passages.push(Passage {
            chapter,
            kind: call.kind,
            method: call.method.clone(),
            path: call.path.clone(),
            body: call.body.clone(),
            carried_out: false,
            answered: false,
        });
        Ticket { place: page.passages.len() - 1, chapter, held }
    }

    /// Holds a call on this side. Tells whether it may go on.
    async fn stop(&self, ticket: &Ticket, side: Side) -> bool {
        if ticket.held != Some(side) {
            return true;
        }
        self.under_way.send_modify(|calls| *calls -= 1);
        self.caught.send_replace(true);
        let mut way = self.way.subscribe();
        let passes = match way.wait_for(|(chapter, open)| *chapter > ticket.chapter || *open).await {
            Ok(way) => way.0 == ticket.chapter,
            Err(_) => false,
        };
        self.under_way.send_modify(|calls| *calls += 1);
        passes
    }
}

async fn watch_over(door: Door, twin: SocketAddr, book: Arc<Book>) {
    let door = TcpListener::from_std(door).expect("a socket of this runtime");
    loop {
        let Ok((client, _)) = door.accept().await else { continue };
        let book = Arc::clone(&book);
        tokio::spawn(async move {
            // A connection that breaks is the sender's end, and no news here.
            let _ = pass(client, twin, &book).await;
        });
    }
}

/// Passes one call and its answer.
async fn pass(mut client: TcpStream, twin: SocketAddr, book: &Book) -> std::io::Result<()> {
    let Some(call) = Call::read(&mut client).await? else { return Ok(()) };
    book.under_way.send_modify(|calls| *calls += 1);
    let passed = deliver(&call, &mut client, (twin, book)).await;
    book.under_way.send_modify(|calls| *calls -= 1);
    passed
}

async fn deliver(call: &Call, client: &mut TcpStream, (twin, book): (SocketAddr, &Book)) -> std::io::Result<()> {
    let ticket = book.enter(call);
    if !book.stop(&ticket, Side::Before).await {
        return Ok(());
    }
    let mut platform = TcpStream::connect(twin).await?;
    platform.write_all(&call.bytes()).await?;
    let mut answer = Vec::new();
    platform.read_to_end(&mut answer).await?;
    book.page().passages[ticket.place].carried_out = true;
    if !book.stop(&ticket, Side::After).await {
        return Ok(());
    }
    client.write_all(&answer).await?;
    client.shutdown().await?;
    book.page().passages[ticket.place].answered = true;
    Ok(())
}

/// A call as it came.
struct Call {
    kind: Kind,
    method: String,
    path: String,
    head: String,
    body: Vec<u8>,
}

impl Call {
    /// Reads one call; `None` where the connection ends before it is there whole.
    async fn read(client: &mut TcpStream) -> std::io::Result<Option<Self>> {
        let mut bytes = Vec::new();
        loop {
            if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
                let length = header(&head, "content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
                if bytes.len() - end - 4 >= length {
                    return Ok(Some(Self::of(head, bytes[end + 4..].to_vec())));
                }
            }
            if bytes.len() > CALL_BYTES_MAX || client.read_buf(&mut bytes).await? == 0 {
                return Ok(None);
            }
        }
    }

    fn of(head: String, body: Vec<u8>) -> Self {
        let mut words = head.split(' ').map(str::to_owned);
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let asks = method == "GET" || path.contains("/search") || path.contains("/batch/read");
        Self { kind: if asks { Kind::Read } else { Kind::Write }, method, path, head, body }
    }

    /// The same for a connection that ends with its answer.
    fn bytes(&self) -> Vec<u8> {
        let lines = self.head.split("\r\n").filter(|line| !line.to_ascii_lowercase().starts_with("connection:"));
        let mut bytes = lines.collect::<Vec<_>>().join("\r\n").into_bytes();
        bytes.extend_from_slice(b"\r\nconnection: close\r\n\r\n");
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    head.split("\r\n")
        .filter_map(|line| line.split_once(':'))
        .find_map(|(found, value)| if found.eq_ignore_ascii_case(name) { Some(value.trim()) } else { None })
}
