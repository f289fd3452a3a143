//! Digests of addresses as text: the kind of address, the algorithm, the digest in hexadecimal.

use std::borrow::Cow;

use unisson_consent::{AddressKind, Algorithm, HashedAddress, KeyId, Normalisation};

/// The text of a digest.
pub(super) fn text(hashed: &HashedAddress) -> String {
    format!("{}:{}:{}", hashed.kind.as_str(), algorithm_name(&hashed.algorithm), hashed.hex())
}

/// The name of an algorithm in a store.
pub(super) fn algorithm_name(algorithm: &Algorithm) -> Cow<'static, str> {
    Cow::Borrowed(match algorithm {
        Algorithm::Md5(Normalisation::TrimLower) => "md5-lower",
        Algorithm::Md5(Normalisation::GoogleDots) => "md5-google",
        Algorithm::Md5(Normalisation::Uid2) => "md5-uid2",
        Algorithm::Sha1(Normalisation::TrimLower) => "sha1-lower",
        Algorithm::Sha1(Normalisation::GoogleDots) => "sha1-google",
        Algorithm::Sha1(Normalisation::Uid2) => "sha1-uid2",
        Algorithm::Sha256(Normalisation::TrimLower) => "sha256-lower",
        Algorithm::Sha256(Normalisation::GoogleDots) => "sha256-google",
        Algorithm::Sha256(Normalisation::Uid2) => "sha256-uid2",
        Algorithm::Keyed(id) => return Cow::Owned(format!("key-{}", id.0)),
    })
}

/// Reads the name of an algorithm; `None` for anything else.
pub(super) fn parse_algorithm(name: &str) -> Option<Algorithm> {
    if let Some(id) = name.strip_prefix("key-") {
        return id.parse().ok().map(|id| Algorithm::Keyed(KeyId(id)));
    }
    let (hash, how) = name.split_once('-')?;
    let how = match how {
        "lower" => Normalisation::TrimLower,
        "google" => Normalisation::GoogleDots,
        "uid2" => Normalisation::Uid2,
        _ => return None,
    };
    match hash {
        "md5" => Some(Algorithm::Md5(how)),
        "sha1" => Some(Algorithm::Sha1(how)),
        "sha256" => Some(Algorithm::Sha256(how)),
        _ => None,
    }
}

/// Reads the name of a kind of address; `None` for anything else.
pub(super) fn parse_kind(name: &str) -> Option<AddressKind> {
    [AddressKind::Email, AddressKind::Phone, AddressKind::Postal].into_iter().find(|known| known.as_str() == name)
}

/// Reads the text of a digest.
pub(super) fn parse(text: &str) -> Option<HashedAddress> {
    let (kind, rest) = text.split_once(':')?;
    let (algorithm, hex) = rest.split_once(':')?;
    let kind = parse_kind(kind)?;
    let digits: Vec<u8> =
        hex.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect::<Option<_>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    let digest = pairs.iter().map(|[high, low]| high << 4 | low).collect();
    Some(HashedAddress { kind, algorithm: parse_algorithm(algorithm)?, digest })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_algorithm_survives_its_name() {
        let hows = [Normalisation::TrimLower, Normalisation::GoogleDots, Normalisation::Uid2];
        let plain =
            hows.into_iter().flat_map(|how| [Algorithm::Md5(how), Algorithm::Sha1(how), Algorithm::Sha256(how)]);
        for algorithm in plain.chain([Algorithm::Keyed(KeyId(7))]) {
            let hashed = HashedAddress { kind: AddressKind::Phone, algorithm, digest: vec![0, 1, 0xab] };
            assert_eq!(parse(&text(&hashed)), Some(hashed));
        }
    }

    #[test]
    fn what_is_no_digest_is_none() {
        for text in [
            "",
            "email",
            "email:md5-lower",
            "fax:md5-lower:00",
            "email:md6-lower:00",
            "email:md5-lower:0",
            "email:md5-lower:zz",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
