//! What a person gets who asks what is held about them (GDPR art. 15) or wants to take it elsewhere (art. 20).
//!
//! A [`Portrait`] is everything that was gathered for one request; [`Portrait::documents`] makes three files of it: a page
//! to read, the data with the source of every field, and the records of consent in the shape of ISO/IEC TS 27560.
//!
//! Pure: data in, documents out. It refuses to look anything up, to read a clock and to write files, and it decides
//! nothing: every answer in it was given by the law.

mod access;
mod act;
mod consents;
mod escape;
mod page;
mod portrait;
mod term;
mod words;

pub use access::SCHEMA;
pub use portrait::{
    Controller, DocumentError, FileGiven, Keeping, Known, Look, Portrait, Recipient, SystemPart, ToldPurpose,
};
