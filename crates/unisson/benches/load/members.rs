//! A loopback server of Mailchimp-shaped members: about 1.1 KB of JSON each, made while they are sent, so that it costs
//! next to nothing beside what is measured. It knows what a sync asks and nothing more.

use std::io::{BufRead as _, BufReader, Result, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use md5::Digest as _;

/// The one audience there is.
pub(crate) const AUDIENCE: &str = "load000001";

/// Members that change at the same second.
const PER_SECOND: u64 = 10;
/// When the first of them changed: 2024-01-01.
const EPOCH: i64 = 1_704_067_200;
/// One member in so many changes.
const CHANGING: u64 = 1_000;
/// How long after everything else they change.
const CHANGED_AFTER: i64 = 86_400;

/// Serves until the process ends, after printing where.
pub(crate) fn serve(contacts: u64) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut out = std::io::stdout();
    writeln!(out, "http://{}", listener.local_addr()?)?;
    out.flush()?;
    let changed = Arc::new(AtomicBool::new(false));
    for stream in listener.incoming() {
        let (stream, changed) = (stream?, Arc::clone(&changed));
        std::thread::spawn(move || {
            // A client that goes away ends its thread.
            let _ = answer_all(&stream, contacts, &changed);
        });
    }
    Ok(())
}

/// One request of the benchmark itself.
pub(crate) fn ask(address: &str, path: &str) -> Result<()> {
    let mut stream = TcpStream::connect(address)?;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\n\r\n")?;
    BufReader::new(stream).read_line(&mut String::new())?;
    Ok(())
}

fn answer_all(stream: &TcpStream, contacts: u64, changed: &AtomicBool) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    loop {
        let mut first = String::new();
        if reader.read_line(&mut first)? == 0 {
            return Ok(());
        }
        let mut line = String::new();
        while reader.read_line(&mut line)? > 2 {
            line.clear();
        }
        let target = first.split(' ').nth(1).unwrap_or("/");
        let body = body(target, &Audience { contacts, changed }).unwrap_or_default();
        let status = if body.is_empty() { "404 Not Found" } else { "200 OK" };
        let head =
            format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
        writer.write_all(head.as_bytes())?;
        writer.write_all(&body)?;
    }
}

struct Audience<'a> {
    contacts: u64,
    changed: &'a AtomicBool,
}

fn body(target: &str, audience: &Audience<'_>) -> Option<Vec<u8>> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let value = |name: &str| {
        query.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name).map(|(_, value)| value)
    };
    if path == "/change" {
        audience.changed.store(true, Ordering::Relaxed);
        return Some(b"{}".to_vec());
    }
    if path.ends_with("/lists") {
        return Some(format!("{{\"lists\":[{{\"id\":\"{AUDIENCE}\",\"name\":\"Load\"}}],\"total_items\":1}}").into());
    }
    if path.ends_with("/abuse-reports") {
        return Some(b"{\"abuse_reports\":[],\"total_items\":0}".to_vec());
    }
    if !path.ends_with("/members") {
        return None;
    }
    if value("status") == Some("archived") {
        return Some(b"{\"members\":[],\"total_items\":0}".to_vec());
    }
    let number = |name, otherwise| value(name).map_or(Some(otherwise), |text| text.parse().ok());
    let (count, offset): (u64, u64) = (number("count", 10)?, number("offset", 0)?);
    let since = value("since_last_changed").map(|text| text.replace("%3A", ":").replace("%2B", "+"));
    let since = since.map_or(Some(i64::MIN), |text| text.parse::<Timestamp>().ok().map(Timestamp::as_second))?;
    Some(audience.page(since, offset, count))
}

impl Audience<'_> {
    /// Members in the order of their last change, those that changed after this second only.
    fn page(&self, since: i64, offset: u64, count: u64) -> Vec<u8> {
        let changed = self.changed.load(Ordering::Relaxed);
        let start = self.first_after(since, changed);
        let total = self.contacts - start;
        let mut page = Vec::with_capacity(1200 * usize::try_from(count).unwrap_or(1000));
        page.extend_from_slice(b"{\"members\":[");
        let from = start + offset;
        for place in from..(from + count).min(self.contacts) {
            if place > from {
                page.push(b',');
            }
            self.member(place, changed, &mut page);
        }
        page.extend_from_slice(format!("],\"total_items\":{total}}}").as_bytes());
        page
    }

    /// Which member stands at a place, and when it changed.
    fn at(&self, place: u64, changed: bool) -> (u64, i64, bool) {
        let second = |of: u64| EPOCH + (of / PER_SECOND).cast_signed();
        let moving = self.contacts / CHANGING;
        let resting = self.contacts - moving;
        if !changed {
            return (place, second(place), false);
        }
        if place >= resting {
            let late = place - resting;
            return (late * CHANGING, second(self.contacts) + CHANGED_AFTER + second(late) - EPOCH, true);
        }
        let member = if moving == 0 { place } else { place + place / (CHANGING - 1) + 1 };
        (member, second(member), false)
    }

    /// The first place that changed after a second.
    fn first_after(&self, since: i64, changed: bool) -> u64 {
        let (mut low, mut high) = (0, self.contacts);
        while low < high {
            let middle = low.midpoint(high);
            if self.at(middle, changed).1 > since {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    }

    fn member(&self, place: u64, changed: bool, out: &mut Vec<u8>) {
        let (number, second, left) = self.at(place, changed);
        let email = format!("person.{number:07}@mail{:02}.example.org", number % 50);
        let id = hex(&md5::Md5::digest(email.as_bytes()).into());
        let status = match number % 20 {
            _ if left => "unsubscribed",
            0 => "cleaned",
            1 | 2 => "unsubscribed",
            3 => "pending",
            _ => "subscribed",
        };
        let changed = Timestamp::from_second(second).unwrap_or_default();
        let signed = Timestamp::from_second(EPOCH - 40_000_000 + number.cast_signed()).unwrap_or_default();
        // What is asked for, and beside it what a platform without a field filter would send: about 1.1 KB.
        let written = write!(
            out,
            "{{\"id\":\"{id}\",\"email_address\":\"{email}\",\"unique_email_id\":\"u{number:09}\",\
             \"contact_id\":\"c{id}\",\"full_name\":\"Person Number {number}\",\"web_id\":{number},\
             \"email_type\":\"html\",\"status\":\"{status}\",\"consents_to_one_to_one_messaging\":true,\
             \"sms_phone_number\":\"\",\"sms_subscription_status\":\"\",\
             \"merge_fields\":{{\"FNAME\":\"Person\",\"LNAME\":\"Number {number}\",\"ADDRESS\":\"\",\"PHONE\":\"\",\
             \"BIRTHDAY\":\"\",\"COMPANY\":\"Example Company {number}\"}},\
             \"stats\":{{\"avg_open_rate\":0.42,\"avg_click_rate\":0.07}},\"ip_signup\":\"\",\
             \"timestamp_signup\":\"{signed}\",\"ip_opt\":\"192.0.2.{}\",\"timestamp_opt\":\"{signed}\",\
             \"member_rating\":2,\"last_changed\":\"{changed}\",\"language\":\"en\",\"vip\":false,\
             \"email_client\":\"\",\"location\":{{\"latitude\":0,\"longitude\":0,\"gmtoff\":0,\"dstoff\":0,\
             \"country_code\":\"FR\",\"timezone\":\"\",\"region\":\"\"}},\"source\":\"Hosted Signup Form\",\
             \"tags_count\":2,\"tags\":[{{\"id\":1,\"name\":\"customers\"}},{{\"id\":2,\"name\":\"newsletter readers\"}}],\
             \"list_id\":\"{AUDIENCE}\",\"_links\":[{{\"rel\":\"self\",\
             \"href\":\"https://api.example.org/3.0/lists/{AUDIENCE}/members/{id}\",\"method\":\"GET\"}}]}}",
            number % 250
        );
        // Writing to memory cannot fail.
        debug_assert!(written.is_ok());
    }
}

fn hex(bytes: &[u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(*bytes))
}
