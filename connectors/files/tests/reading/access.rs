//! Telling every row about one person, whatever file and spelling it is in.

use serde_json::{Value, json};
use unisson_connector::{Access, Connector, Cx, Error, ErrorKind, FieldValue, Gathered, Seek};
use unisson_consent::{Address, CustomerNo};

use crate::desk::{Desk, opted, read, wait};

fn gather(desk: &Desk, settings: Value, who: &Seek) -> Result<Gathered, Error> {
    let files = desk.connect(settings);
    wait(files.gather(&Cx { run: "r" }, who))
}

fn ada() -> Seek {
    Seek { addresses: Address::email("Ada@Bücher.example").into_iter().collect(), ..Seek::default() }
}

fn kinds(told: &Gathered) -> Vec<&str> {
    told.holdings.iter().map(|held| held.kind.as_str()).collect()
}

fn shop() -> Value {
    json!({ "columns": { "email": "email", "phone": "tel", "customer": "no" } })
}

#[test]
fn every_row_of_every_file_is_told_with_every_column() {
    let desk = Desk::new();
    desk.put(
        "a.csv",
        "email,ok,Full name\nada@xn--bcher-kva.EXAMPLE,yes,\"Ada, of\nLondon\"\nbob@example.org,no,Bob\n",
    );
    desk.put("b.csv", "email;ok;a/b\n\"  ADA@bücher.example \";no;\n");
    let told = gather(&desk, opted(), &ada()).unwrap();
    assert_eq!(kinds(&told), ["row on line 2 of a.csv", "row on line 2 of b.csv"]);
    let fields: Vec<(&str, &FieldValue)> =
        told.holdings[0].fields.iter().map(|field| (field.path.as_str(), &field.value)).collect();
    let text = |text: &str| FieldValue::Text(text.to_owned());
    let wanted = [text("ada@xn--bcher-kva.EXAMPLE"), text("yes"), text("Ada, of\nLondon")];
    assert_eq!(fields, [("/email", &wanted[0]), ("/ok", &wanted[1]), ("/Full name", &wanted[2])]);
    let last = told.holdings[1].fields.last().unwrap();
    assert_eq!((last.path.as_str(), &last.value), ("/a~1b", &FieldValue::Empty));
    let pulled = read(&desk.connect(opted()), "a.csv").observations;
    assert_eq!(told.holdings[0].observation, pulled[0], "it is what a pull would tell");
}

#[test]
fn a_row_is_theirs_by_number_customer_or_record_too() {
    let desk = Desk::new();
    desk.put("a.csv", "email,tel,no\n,0033600000001,\nx@example.org,,C-1\ny@example.org,,C-2\n,,\n");
    let mut who = Seek { addresses: Address::phone("+33600000001", None).into_iter().collect(), ..Seek::default() };
    assert_eq!(kinds(&gather(&desk, shop(), &who).unwrap()), ["row on line 2 of a.csv"]);
    who.customers.push(CustomerNo::new("C-1"));
    assert_eq!(gather(&desk, shop(), &who).unwrap().holdings.len(), 2);
    who.records.push(read(&desk.connect(shop()), "a.csv").observations[2].record.clone());
    assert_eq!(gather(&desk, shop(), &who).unwrap().holdings.len(), 3);
}

#[test]
fn an_object_is_told_with_all_that_is_in_it() {
    let desk = Desk::new();
    desk.put("a.jsonl", "{\"email\":\"bob@example.org\"}\n{\"email\":\"ada@bücher.example\",\"more\":{\"n\":1.50}}\n");
    let told = gather(&desk, json!({ "columns": { "email": "email" } }), &ada()).unwrap();
    assert_eq!(kinds(&told), ["row on line 2 of a.jsonl"]);
    let last = told.holdings[0].fields.last().unwrap();
    assert_eq!((last.path.as_str(), &last.value), ("/more/n", &FieldValue::Number("1.50".to_owned())));
}

#[test]
fn without_a_header_columns_have_their_numbers() {
    let desk = Desk::new();
    desk.put("a.csv", "ada@bücher.example,Ada\nbob@example.org,Bob\n");
    let told =
        gather(&desk, json!({ "header": false, "separator": ",", "columns": { "email": "1" } }), &ada()).unwrap();
    let paths: Vec<&str> = told.holdings[0].fields.iter().map(|field| field.path.as_str()).collect();
    assert_eq!((kinds(&told), paths), (vec!["row on line 1 of a.csv"], vec!["/1", "/2"]));
}

#[test]
fn nobody_is_nothing_and_what_could_not_be_read_is_said() {
    let desk = Desk::new();
    desk.put("a.csv", "email,ok\nbob@example.org,no\n,yes\n");
    desk.put("b.jsonl", "{\"email\":\"bob@example.org\",\"ok\":\"no\"}\n{\"email\":\"ada@b");
    let told = gather(&desk, opted(), &ada()).unwrap();
    assert!(told.holdings.is_empty());
    for place in ["1 rows of a.csv", "1 rows of b.jsonl", "the end of b.jsonl, which is cut off on line 2"] {
        assert!(told.unseen.iter().any(|unseen| unseen.starts_with(place)), "{:?}", told.unseen);
    }
}

#[test]
fn a_file_that_cannot_be_understood_is_an_error_and_nothing_prints_a_person() {
    let desk = Desk::new();
    desk.put("a.csv", "email,ok\nada@bücher.example,yes\n");
    let told = gather(&desk, opted(), &ada()).unwrap();
    let shown = format!("{told:?} {:?}", ada());
    assert!(shown.contains("Holding") && !shown.contains("cher"), "{shown}");
    desk.put("b.csv", "mail,ok\nada@bücher.example,yes\n");
    let error = gather(&desk, opted(), &ada()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("b.csv") && !format!("{error:?}").contains("cher"), "{error:?}");
    assert!(desk.connect(opted()).access().is_some() && desk.connect(opted()).erase().is_none());
}
