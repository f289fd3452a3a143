//! The page for the person.

use unisson_connector::FieldValue;
use unisson_portrait::Look;

use crate::document;
use crate::example::{ada, empty, gathered, holding, system};

#[test]
fn the_page_of_a_rich_portrait() {
    insta::assert_snapshot!(document(&ada(), "index.html"));
}

#[test]
fn the_page_of_somebody_unknown_says_so_first() {
    let page = document(&empty(), "index.html");
    assert!(page.contains("<strong>We hold nothing about you.</strong>"));
    assert!(page.contains("Holds nothing about you."));
    assert!(page.contains("Nothing is on record: no consent, no refusal."));
    assert!(page.contains("We know of nobody who received data about you."));
    assert!(!page.contains("<table"), "an empty table tells nothing");
}

#[test]
fn a_system_that_was_not_read_takes_the_certainty_out_of_the_answer() {
    let mut portrait = empty();
    portrait.systems.push(system("crm", "CRM", "HubSpot", Look::NotCovered { why: "it is out of order".to_owned() }));
    let page = document(&portrait, "index.html");
    assert!(!page.contains("We hold nothing"));
    assert!(page.contains("nothing about you in the systems that we could read"));
    assert!(page.contains("it is out of order"));
}

#[test]
fn a_place_that_cannot_be_searched_takes_the_certainty_too() {
    let mut portrait = empty();
    portrait.systems = vec![system("crm", "CRM", "HubSpot", gathered(Vec::new(), vec!["private notes".to_owned()]))];
    let page = document(&portrait, "index.html");
    assert!(!page.contains("We hold nothing"));
    assert!(page.contains("A few places cannot be searched"));
}

#[test]
fn the_page_loads_nothing_and_runs_nothing() {
    let page = document(&ada(), "index.html");
    for foreign in ["<script", "src=", "@import", "url(", "<link", "<img", "<iframe", "javascript:", " onclick"] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    assert!(page.contains("default-src 'none'"));
}

#[test]
fn every_table_has_a_caption_and_every_head_a_scope() {
    let page = document(&ada(), "index.html");
    let tables = page.matches("<table").count();
    assert!(tables >= 8, "{tables}");
    assert_eq!(tables, page.matches("<caption>").count());
    assert_eq!(page.matches("<th ").count(), page.matches(" scope=").count());
    assert!(page.contains("<html lang=\"en\">"));
    assert_eq!(page.matches("<h1>").count(), 1);
}

#[test]
fn what_others_wrote_stays_text_wherever_it_stands() {
    const EVIL: &str = "</bdi></td><script>alert(1)</script>\" onload='x' \u{202e}&\0";
    let mut portrait = ada();
    let evil = || EVIL.to_owned();
    portrait.controller.name = evil();
    portrait.controller.contact = Some(evil());
    portrait.whom = vec![evil()];
    let field = (EVIL, FieldValue::Text(evil()));
    let mut record = holding(EVIL, EVIL, &[field]);
    record.fields[0].path = evil();
    portrait.systems = vec![
        system(EVIL, EVIL, EVIL, gathered(vec![record], vec![evil()])),
        system("b", "b", "b", Look::NotCovered { why: evil() }),
    ];
    for purpose in &mut portrait.purposes {
        purpose.title = evil();
        purpose.description = Some(evil());
    }
    for known in &mut portrait.known {
        for fact in &mut known.explanation.facts {
            fact.what = evil();
            fact.scope = evil();
            fact.system = EVIL.into();
        }
    }
    for recipient in &mut portrait.recipients {
        recipient.name = evil();
        recipient.received = evil();
    }
    for file in &mut portrait.files {
        file.to = evil();
        file.what = evil();
    }
    for keeping in &mut portrait.keeping {
        keeping.fields = vec![evil()];
        keeping.provision = evil();
        keeping.system = EVIL.into();
    }
    portrait.retention = vec![evil()];
    let page = document(&portrait, "index.html");
    assert!(!page.contains("<script"), "markup got through");
    assert!(!page.contains("onload='"), "a quote got through");
    assert!(!page.contains(['\u{202e}', '\0']), "the line could be turned around");
    assert_eq!(page.matches("<bdi>").count(), page.matches("</bdi>").count());
    assert!(page.matches("&lt;script&gt;").count() > 20, "everything is there, as text");
}

#[test]
fn debug_shows_how_much_and_never_what() {
    assert_eq!(format!("{:?}", ada()), "Portrait(4 systems, 4 records, 2 addresses)");
}
