//! A number is the same number wherever it is written.

use unisson_consent::{Address, Defect};

fn number(text: &str, country: Option<&str>) -> Address {
    Address::phone(text, country).expect("a telephone number")
}

#[test]
fn a_number_in_international_form_is_the_same_in_every_country() {
    let rome = number("+39 06 1234 5678", None);
    assert_eq!(rome.canonical(), "+390612345678");
    for country in ["IT", "FR", "US", "GB", "DE"] {
        for text in ["+39 06 1234 5678", "(+39) 06 1234 5678", "tel:+39-06-1234-5678", "\u{ff0b}390612345678"] {
            assert!(number(text, Some(country)).grant_eq(&rome), "{text} in {country}");
        }
    }
    for (text, country) in [("0039 06 1234 5678", "FR"), ("011 39 06 1234 5678", "US"), ("06 1234 5678", "IT")] {
        assert!(number(text, Some(country)).grant_eq(&rome), "{text} in {country}");
    }
}

#[test]
fn what_would_be_another_number_when_it_is_read_again_is_none() {
    let garbled = number("0000333g", Some("FR"));
    assert_eq!(garbled.defect(), Some(Defect::Number));
    let home = number("06 12 34 56 78", Some("FR"));
    assert!(number(home.canonical(), Some("US")).grant_eq(&home));
}

#[test]
fn what_nobody_sees_is_nobodys_address() {
    for text in ["\u{202e}", " \u{200b}\u{feff} ", "\0\r\n"] {
        assert!(
            Address::email(text).is_none() && Address::postal(text).is_none() && Address::phone(text, None).is_none()
        );
    }
    assert!(Address::postal(" ,;, ").is_none());
}

#[test]
fn a_spelling_that_is_compared_is_its_own() {
    for text in ["1 rue e\u{200d}\u{301}toile", "\u{3b9}\u{308}\u{301}", "Stra\u{df}e \u{fb03} \u{1e9e} \u{130}"] {
        let place = Address::postal(text).unwrap();
        let again = Address::postal(place.canonical()).unwrap();
        assert_eq!(again.canonical(), place.canonical(), "{text}");
    }
}
