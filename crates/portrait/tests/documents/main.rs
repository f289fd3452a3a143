//! The three files: what is in them, that nothing is lost on the way, and that nothing in them obeys what others wrote.

mod example;
mod loss;
mod page;
mod records;
mod schema;

use unisson_portrait::Portrait;

/// One of the three files, as text.
fn document(portrait: &Portrait, name: &str) -> String {
    let documents = portrait.documents().expect("the documents");
    let (_, bytes) = documents.into_iter().find(|(known, _)| *known == name).expect("a document");
    String::from_utf8(bytes).expect("a text")
}
