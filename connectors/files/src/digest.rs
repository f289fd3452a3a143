//! A digest of several texts, for ids that must come out the same whenever the same thing is read again.

use sha2::Digest as _;

/// A digest of these parts in hexadecimal. Parts are kept apart: `["ab", "c"]` and `["a", "bc"]` differ.
pub(crate) fn of<P: AsRef<[u8]>>(parts: impl IntoIterator<Item = P>) -> String {
    use std::fmt::Write as _;
    let mut hash = sha2::Sha256::new();
    for part in parts {
        let part = part.as_ref();
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().iter().take(16).fold(String::with_capacity(32), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn parts_are_kept_apart() {
        assert_eq!(super::of(["ab", "c"]), super::of(["ab", "c"]));
        assert_ne!(super::of(["ab", "c"]), super::of(["a", "bc"]));
        assert_eq!(super::of(["ab"]).len(), 32);
    }
}
