//! How twins know addresses: by hash, so that what is deleted leaves no address behind.

use md5::{Digest, Md5};

/// MD5 of the lower-case address in lower-case hexadecimal: the name that the mail platform's paths use.
pub(crate) fn hex(email: &str) -> String {
    Md5::digest(email.to_lowercase()).iter().fold(String::with_capacity(32), |mut hex, byte| {
        for nibble in [byte >> 4, byte & 15] {
            hex.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
        hex
    })
}

/// The first half of the hash: enough to tell millions of addresses apart at half the memory.
pub(crate) fn key(email: &str) -> u64 {
    Md5::digest(email.to_lowercase()).iter().take(8).fold(0, |key, byte| (key << 8) | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letter_case_does_not_change_a_hash() {
        assert_eq!(hex("Ada@Example.ORG"), hex("ada@example.org"));
        assert_eq!(hex("").len(), 32);
        assert_eq!(hex(""), "d41d8cd98f00b204e9800998ecf8427e");
    }

    #[test]
    fn a_key_is_the_first_half_of_the_hash() {
        assert_eq!(format!("{:016x}", key("ada@example.org")), hex("ada@example.org")[..16]);
    }
}
