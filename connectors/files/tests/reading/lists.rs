//! Lists of refusals: read off their content where that is certain, asked about where it is not, and never lost silently.

use std::path::Path;

use proptest::prelude::*;
use unisson_consent::{Address, AddressKind, Algorithm, HashedAddress, Normalisation};
use unisson_files::export::write_file;
use unisson_files::import::{Entry, Import, ImportError, Listed, Reading, Shape, Spec};

use crate::desk::Desk;

/// A list read to its end.
#[derive(Debug, Default)]
struct Told {
    addresses: Vec<Address>,
    digests: Vec<HashedAddress>,
    set_aside: Vec<(u64, String)>,
}

fn open(desk: &Desk, bytes: impl AsRef<[u8]>, spec: &Spec) -> Result<Import, ImportError> {
    Import::open(&desk.put("list.csv", bytes), spec)
}

fn reading(bytes: impl AsRef<[u8]>, spec: &Spec) -> Result<Reading, ImportError> {
    open(&Desk::new(), bytes, spec).map(|list| list.reading().clone())
}

fn told_at(path: &Path, spec: &Spec) -> Told {
    let mut list = Import::open(path, spec).unwrap();
    let mut told = Told::default();
    while let Some(entry) = list.next_entry().unwrap() {
        match entry {
            Entry::Listed(Listed::Address(address)) => told.addresses.push(address),
            Entry::Listed(Listed::Digest(digest)) => told.digests.push(digest),
            Entry::SetAside { line, reason } => told.set_aside.push((line, reason)),
        }
    }
    told
}

fn told(bytes: impl AsRef<[u8]>, spec: &Spec) -> Told {
    let desk = Desk::new();
    told_at(&desk.put("list.csv", bytes), spec)
}

fn md5(address: &str) -> HashedAddress {
    HashedAddress::of(&Address::email(address).unwrap(), &Algorithm::Md5(Normalisation::TrimLower)).unwrap()
}

fn spec(shape: Shape) -> Spec {
    Spec { shape: Some(shape), ..Spec::default() }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_exported_in_any_shape_is_imported_as_the_same_people(
        locals in prop::collection::btree_set("[a-zA-Z0-9=+@-][a-zA-Z0-9.,;\"' +]{0,12}", 1..8),
        phones in any::<bool>(),
        place in 0..Shape::ALL.len(),
    ) {
        let people: Vec<Address> = if phones {
            (0..locals.len()).map(|at| Address::phone(&format!("+3361234567{at}"), None).unwrap()).collect()
        } else {
            locals.iter().map(|local| Address::email(&format!("{local}@Example.org")).unwrap()).collect()
        };
        let desk = Desk::new();
        let (path, shape) = (desk.path().join("out.csv"), Shape::ALL[place].0);
        write_file(&path, &people, shape).unwrap();
        // Odd addresses are addresses too, but nothing is certain of a list of nothing else.
        let kind = if phones { AddressKind::Phone } else { AddressKind::Email };
        let told = told_at(&path, &Spec { of: Some(kind), shape: Some(shape), ..Spec::default() });
        prop_assert!(told.set_aside.is_empty(), "{:?}", told.set_aside);
        match shape.algorithm(Normalisation::TrimLower) {
            None => prop_assert_eq!(told.addresses, people),
            Some(how) => {
                let digests: Vec<_> = people.iter().map(|one| HashedAddress::of(one, &how).unwrap()).collect();
                prop_assert_eq!(told.digests, digests);
            }
        }
    }

    #[test]
    fn no_bytes_stop_the_program_or_are_repeated(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let desk = Desk::new();
        let Ok(mut list) = open(&desk, &bytes, &Spec::default()) else { return Ok(()) };
        for _ in 0..1000 {
            match list.next_entry() {
                Ok(None) | Err(_) => return Ok(()),
                Ok(Some(_)) => {}
            }
        }
        prop_assert!(false, "the list does not end");
    }
}

#[test]
fn what_a_list_holds_is_read_off_its_content() {
    let digest = md5("zed@example.com").hex();
    let sha256 = "a".repeat(64);
    let read = |text: &str| {
        let reading = reading(text, &Spec::default()).unwrap();
        (reading.shape, reading.of, reading.column, reading.header)
    };
    assert_eq!(read("a@example.org\nb@example.org\n"), (Shape::Plain, None, 1, false));
    assert_eq!(read("email\na@example.org\n"), (Shape::Plain, None, 1, true));
    assert_eq!(read("Name;E-mail;Why\nAda;a@example.org;\nBob;b@example.org;asked\n"), (Shape::Plain, None, 2, true));
    assert_eq!(read("+33612345678\n"), (Shape::Plain, None, 1, false));
    assert_eq!(read(&format!("{digest}\n{digest}\n")), (Shape::Md5, Some(AddressKind::Email), 1, false));
    assert_eq!(read(&format!("id,hash\n7,{sha256}\n")), (Shape::Sha256, Some(AddressKind::Email), 2, true));
    assert_eq!(read(&format!("phone_sha256\n{sha256}\n")), (Shape::Sha256, Some(AddressKind::Phone), 1, true));
    assert_eq!(read("md5_base64_lowercase_trimmed\nCvPDMW6JkN+JLSP8p3B+pA==\n").0, Shape::Md5Base64);
    assert_eq!(read(""), (Shape::Plain, None, 1, false));
    assert_eq!(read("email\n"), (Shape::Plain, None, 1, true));
}

#[test]
fn what_is_not_certain_is_asked_for() {
    let digest = md5("zed@example.com").hex();
    let refused = |text: &str| reading(text, &Spec::default()).unwrap_err();
    assert!(matches!(refused(&format!("who\n{digest}\na@example.org\n")), ImportError::Mixed { column: 1, .. }));
    assert!(
        matches!(refused(&format!("mail,hash\na@example.org,{digest}\n")), ImportError::Ambiguous(ref columns) if columns == "1, 2")
    );
    for text in ["name\nAda\nBob\n", "no\n12345\n67890\n", "id\n507f1f77bcf86cd799439011\n", "0612345678\n0612345679\n"]
    {
        assert!(matches!(refused(text), ImportError::Unrecognised), "{text}");
    }
    let both = format!("mail,hash\na@example.org,{digest}\n");
    let named = |column: &str| reading(&both, &Spec { column: Some(column.to_owned()), ..Spec::default() });
    assert_eq!(named("Hash").unwrap().shape, Shape::Md5);
    assert_eq!(named("1").unwrap().shape, Shape::Plain);
    assert!(matches!(named("3").unwrap_err(), ImportError::Column(_)));
    let headless = reading("a@example.org,x\n", &Spec { column: Some("mail".to_owned()), ..Spec::default() });
    assert!(matches!(headless.unwrap_err(), ImportError::Column(_)));
    let odd = reading("a@example.org\n", &Spec { encoding: Some("ebcdic".to_owned()), ..Spec::default() });
    assert!(matches!(odd.unwrap_err(), ImportError::Encoding));
}

#[test]
fn what_was_said_beforehand_goes_before_what_it_looks_like() {
    let digest = md5("zed@example.com");
    let said = Spec { spelling: Some(Normalisation::Uid2), of: Some(AddressKind::Phone), ..spec(Shape::Md5) };
    let listed = told(format!("lowercase\n{}\n", digest.hex().to_uppercase()), &said);
    let expected = HashedAddress { kind: AddressKind::Phone, algorithm: Algorithm::Md5(Normalisation::Uid2), ..digest };
    assert_eq!(listed.digests, [expected]);
    let phones = Spec { of: Some(AddressKind::Phone), country: Some("FR".to_owned()), ..Spec::default() };
    let listed = told("06 12 34 56 78\n0033612345679\nnone\n", &phones);
    let numbers: Vec<&str> = listed.addresses.iter().map(Address::canonical).collect();
    assert_eq!(numbers, ["+33612345678", "+33612345679"]);
    assert_eq!(listed.set_aside.len(), 1);
}

#[test]
fn rows_that_cannot_be_read_are_set_aside_with_their_line_and_never_repeated() {
    let long = format!("{}@example.org", "canary".repeat(20_000));
    let wide = vec!["canary"; 1_000_000].join(",");
    let text = format!(
        "email,note\nada@example.org,x\ncanary,y\n,canary\n{long},x\n{wide}\nbob@example.org,\"z\nzed@example.org,x\n\"\ncanary.at@@example.org,x\n"
    );
    let told = told(text, &Spec::default());
    let kept: Vec<&str> = told.addresses.iter().map(Address::raw).collect();
    assert_eq!(kept, ["ada@example.org", "bob@example.org", "canary.at@@example.org"], "a malformed one is somebody's");
    let lines: Vec<u64> = told.set_aside.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [3, 4, 5, 6]);
    assert!(told.set_aside.iter().all(|(_, reason)| !reason.contains("canary")), "{:?}", told.set_aside);
}

#[test]
fn every_encoding_is_read_and_what_does_not_decode_is_set_aside() {
    let utf_16: Vec<u8> = "\u{feff}mail\r\nzoé@example.org\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(told(utf_16, &Spec::default()).addresses[0].raw(), "zoé@example.org");
    let mut mixed = b"mail\nzo\xc3\xa9@example.org\nzo\xc3\xa9e@example.org\n".to_vec();
    mixed.extend_from_slice(b"\xff\xfe@example.org\n");
    let told = told(mixed, &Spec::default());
    assert_eq!((told.addresses.len(), told.set_aside[0].0), (2, 4));
}

#[test]
fn a_list_that_was_cut_off_says_so_after_what_was_there() {
    let desk = Desk::new();
    let mut list = open(&desk, "mail,note\nada@example.org,x\nbob@example.org,\"half", &Spec::default()).unwrap();
    assert!(matches!(list.next_entry().unwrap(), Some(Entry::Listed(_))));
    let mut entries = 0;
    let error = loop {
        match list.next_entry() {
            Ok(Some(_)) => entries += 1,
            Ok(None) => panic!("it was taken for whole"),
            Err(error) => break error,
        }
    };
    assert_eq!(entries, 1);
    assert!(matches!(error, ImportError::CutOff(3)), "{error}");
    assert!(matches!(Import::open(&desk.path().join("nowhere"), &Spec::default()), Err(ImportError::Read(_))));
}
