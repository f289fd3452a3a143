//! Answers that are out to hurt their reader: too big, too deep, not text, too long. They stay JSON as far as they can,
//! and whatever is not spoilt is the true answer.
//!
//! What is huge is never held in memory: a body is a few parts, of which one is repeated.

use bytes::Bytes;
use flate2::{Compress, Compression, Crc, FlushCompress, Status};

/// How much of a repeated text is made at once.
const BLOCK_BYTES: usize = 1024 * 1024;

/// A stretch of a body, so many times in a row.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) bytes: Bytes,
    pub(crate) times: u64,
}

impl Part {
    pub(crate) fn once(bytes: Bytes) -> Self {
        Self { bytes, times: 1 }
    }

    pub(crate) fn len(&self) -> u64 {
        self.bytes.len() as u64 * self.times
    }
}

/// The answer with a text of so many mebibytes.
pub(crate) fn huge(body: &Bytes, mib: u32) -> Vec<Part> {
    match split(body) {
        Some((before, after)) => {
            let head = [before, b"\"sandbox\":\""].concat();
            let tail = [b"\"".as_slice(), separator(after), after].concat();
            let block = Part { bytes: vec![b'x'; BLOCK_BYTES].into(), times: u64::from(mib) };
            vec![Part::once(head.into()), block, Part::once(tail.into())]
        }
        None => vec![Part::once(body.clone())],
    }
}

/// The same, compressed (RFC 1951, RFC 1952) to a thousandth of its size. The repeated text is compressed once: a flush
/// that forgets what came before makes its bytes fit anywhere.
pub(crate) fn bomb(body: &Bytes, mib: u32) -> Vec<Part> {
    const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    let plain = huge(body, mib);
    let (mut crc, mut total) = (Crc::new(), 0_u64);
    let mut deflate = Compress::new(Compression::best(), false);
    let mut parts = vec![Part::once(Bytes::from_static(&HEADER))];
    for part in &plain {
        let mut one = Crc::new();
        one.update(&part.bytes);
        for _ in 0..part.times {
            crc.combine(&one);
        }
        total += part.len();
        let bytes = compressed(&mut deflate, &part.bytes, FlushCompress::Full).into();
        parts.push(Part { bytes, times: part.times });
    }
    parts.push(Part::once(compressed(&mut deflate, &[], FlushCompress::Finish).into()));
    // The trailer counts modulo 2^32 (RFC 1952, section 2.3.1).
    let [sum, size] = [crc.sum(), u32::try_from(total & u64::from(u32::MAX)).unwrap_or_default()].map(u32::to_le_bytes);
    parts.push(Part::once([sum, size].concat().into()));
    parts
}

fn compressed(deflate: &mut Compress, text: &[u8], flush: FlushCompress) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 1_024);
    let begun = deflate.total_in();
    loop {
        let read = usize::try_from(deflate.total_in() - begun).unwrap_or(usize::MAX);
        let full_before = out.len();
        let status = deflate.compress_vec(text.get(read..).unwrap_or_default(), &mut out, flush);
        let stuck = out.len() == full_before;
        // Room that is left means that nothing is held back any more.
        if !matches!(status, Ok(Status::Ok)) || out.len() < out.capacity() || stuck {
            return out;
        }
        out.reserve(1_024);
    }
}

/// The answer with lists inside lists, so many deep.
pub(crate) fn deep(body: &Bytes, levels: u32) -> Bytes {
    let levels = levels as usize;
    with_member(body, &[b"[".repeat(levels), b"]".repeat(levels)].concat())
}

/// The answer with a byte that no UTF-8 text has, in place of the `@` of its first address.
pub(crate) fn not_text(body: &Bytes) -> Bytes {
    match body.iter().position(|byte| *byte == b'@') {
        Some(at) => [&body[..at], b"\xff", &body[at + 1..]].concat().into(),
        None => with_member(body, b"\"\xff\""),
    }
}

/// The answer with so many kibibytes before the `@` of its first address.
pub(crate) fn long_address(body: &Bytes, kib: u32) -> Bytes {
    match body.iter().position(|byte| *byte == b'@') {
        Some(at) => [&body[..at], &b"a".repeat(kib as usize * 1_024), &body[at..]].concat().into(),
        None => body.clone(),
    }
}

fn with_member(body: &Bytes, value: &[u8]) -> Bytes {
    match split(body) {
        Some((before, after)) => [before, b"\"sandbox\":", value, separator(after), after].concat().into(),
        None => body.clone(),
    }
}

/// The body at the place where a member can be put in: in the first record of a listing, else in the document; `None` for
/// what is no JSON object.
fn split(body: &[u8]) -> Option<(&[u8], &[u8])> {
    if body.first() != Some(&b'{') {
        return None;
    }
    let record = body.windows(2).position(|pair| pair == b"[{").map(|at| at + 2);
    Some(body.split_at(record.unwrap_or(1)))
}

fn separator(after: &[u8]) -> &'static [u8] {
    if after.first() == Some(&b'}') { b"" } else { b"," }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;
    use serde_json::Value;

    use super::*;

    const LISTING: &[u8] = br#"{"count":1,"rows":[{"email":"ada@example.org","id":7}]}"#;

    fn whole(parts: &[Part]) -> Vec<u8> {
        parts.iter().flat_map(|part| part.bytes.repeat(usize::try_from(part.times).unwrap())).collect()
    }

    #[test]
    fn a_huge_answer_is_the_true_one_with_a_text_in_its_first_record() {
        let body = whole(&huge(&Bytes::from_static(LISTING), 2));
        assert_eq!(huge(&Bytes::from_static(LISTING), 64).iter().map(Part::len).sum::<u64>() >> 20, 64);
        let shown: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(shown["rows"][0]["sandbox"].as_str().unwrap().len(), 2 << 20);
        assert_eq!((&shown["count"], &shown["rows"][0]["id"]), (&1.into(), &7.into()));
        let empty = whole(&huge(&Bytes::from_static(b"{}"), 1));
        assert!(serde_json::from_slice::<Value>(&empty).unwrap()["sandbox"].is_string());
    }

    #[test]
    fn a_bomb_is_small_and_unpacks_to_the_huge_answer() {
        let packed = whole(&bomb(&Bytes::from_static(LISTING), 5));
        let plain = whole(&huge(&Bytes::from_static(LISTING), 5));
        assert!(packed.len() < plain.len() / 500, "{} of {}", packed.len(), plain.len());
        let mut unpacked = Vec::new();
        GzDecoder::new(packed.as_slice()).read_to_end(&mut unpacked).unwrap();
        assert!(unpacked == plain, "checked against the sum in the trailer as well");
    }

    #[test]
    fn lists_are_as_deep_as_asked() {
        let body = deep(&Bytes::from_static(LISTING), 10_000);
        let opened = body.windows(10_000).position(|levels| levels.iter().all(|byte| *byte == b'['));
        assert!(opened.is_some() && body.len() == LISTING.len() + 20_000 + "\"sandbox\":,".len());
        assert!(serde_json::from_slice::<Value>(&body).is_err(), "deeper than a careful reader goes");
        assert!(serde_json::from_slice::<Value>(&deep(&Bytes::from_static(LISTING), 50)).is_ok());
    }

    #[test]
    fn the_first_address_is_hit_where_there_is_one() {
        let broken = not_text(&Bytes::from_static(LISTING));
        assert!(std::str::from_utf8(&broken).is_err() && !broken.contains(&b'@'));
        assert!(std::str::from_utf8(&not_text(&Bytes::from_static(b"{}"))).is_err());
        let long = long_address(&Bytes::from_static(LISTING), 100);
        let shown: Value = serde_json::from_slice(&long).unwrap();
        assert_eq!(shown["rows"][0]["email"].as_str().unwrap().len(), "ada@example.org".len() + 100 * 1_024);
    }

    #[test]
    fn what_is_no_object_stays_as_it_is() {
        for body in ["", "<html>a@example.org</html>", "[1]"] {
            assert_eq!(whole(&huge(&Bytes::from(body), 1)), body.as_bytes());
            assert_eq!(deep(&Bytes::from(body), 3), body);
        }
    }
}
