//! Telling every row about one person, in every file there is. Files are read row by row, and nothing is kept of a row that
//! is about somebody else.
//!
//! A row is theirs by an address or number in any spelling, by a customer number or by its id. It tells every column, also
//! those that nobody mapped. Nothing is erased or corrected here: whoever wrote a file edits it.

use async_trait::async_trait;
use unisson_connector::{Access, Cx, Error, ErrorKind, Gathered, Holding, Observation, Result, Seek};
use unisson_consent::{Address, AddressKind, Country};

use crate::Files;
use crate::flaw::Flaws;
use crate::folder::{self, Source};
use crate::preset::Fitted;
use crate::pull::{Reader, changed};
use crate::row::Step;
use crate::rows::{Form, Rows, open};
use crate::translate::Translator;

/// The most rows about one person.
const HOLDINGS_MAX: usize = 10_000;
/// What is no row of a file that is read.
const UNSEEN: [&str; 3] = [
    "files elsewhere than at `path`, in folders within it, and of other kinds",
    "rows that name the person in columns that are not mapped",
    "rows with nothing but a telephone number in national form, of no country",
];

#[async_trait]
impl Access for Files {
    async fn gather(&self, _: &Cx<'_>, who: &Seek) -> Result<Gathered> {
        let who = who.clone();
        self.read(move |reader| reader.gather(&who)).await
    }
}

impl Reader {
    fn gather(&self, who: &Seek) -> Result<Gathered> {
        let mut found = Gathered { holdings: Vec::new(), unseen: UNSEEN.map(str::to_owned).to_vec() };
        for source in folder::sources(&self.path, self.format)? {
            self.search(&source, who, &mut found).map_err(|error| error.with("file", &source.name))?;
        }
        Ok(found)
    }

    fn search(&self, source: &Source, who: &Seek, found: &mut Gathered) -> Result<()> {
        let during = "look for a person in a file";
        let (mut file, fingerprint) = open(&source.path)?;
        let form = Form::of(&mut file, source, self.script, self.meaning.wanted())?;
        let Fitted { mapping, .. } = self.fit(&mut file, source, form)?;
        let mut rows = Rows::of(file, form, self.script, &mapping.columns)?;
        let translator = Translator { mapping: &mapping, stem: source.stem() };
        let (mut unread, flaws) = (0_u64, Flaws::default());
        loop {
            let row = match rows.step()? {
                Step::End => break,
                Step::Blank => continue,
                Step::Refused(_) => Err(()),
                Step::Row(row) => translator.observe(&row, &flaws).map(|seen| (row.line, seen)).map_err(drop),
            };
            match row {
                Ok((line, observation)) if is_theirs(&observation, who) => {
                    if found.holdings.len() == HOLDINGS_MAX {
                        return Err(Error::new(ErrorKind::Bounds, during).with("rows at most", HOLDINGS_MAX));
                    }
                    let kind = format!("row on line {line} of {}", source.name);
                    let fields = rows.fields(self.script.header, during)?;
                    found.holdings.push(Holding { observation, kind, fields });
                }
                Ok(_) => {}
                Err(()) => unread += 1,
            }
        }
        if !open(&source.path).is_ok_and(|(_, now)| now == fingerprint) {
            return Err(changed());
        }
        if unread > 0 {
            found.unseen.push(format!("{unread} rows of {} that name nobody or cannot be read", source.name));
        }
        if let Some(line) = rows.cut() {
            found.unseen.push(format!("the end of {}, which is cut off on line {line}", source.name));
        }
        Ok(())
    }
}

/// Whether a row is about the person. A postal address is shared by a household and names nobody.
fn is_theirs(row: &Observation, who: &Seek) -> bool {
    let country = row.who.country.as_ref().map(Country::as_str);
    let emails = row.who.emails.iter().filter_map(|raw| Address::email(raw));
    let phones = row.who.phones.iter().filter_map(|raw| Address::phone(&dialled(raw), country));
    let is_one = |held: &Address, of: AddressKind, key: &str| held.kind() == of && held.suppress_key() == key;
    let mut addresses = emails.chain(phones);
    addresses.any(|found| who.addresses.iter().any(|held| is_one(held, found.kind(), found.suppress_key())))
        || row.who.customer.as_ref().is_some_and(|customer| who.customers.contains(customer))
        || who.records.contains(&row.record)
}

/// A number as it is dialled from abroad, in its written form: two zeros stand for the plus.
fn dialled(raw: &str) -> String {
    raw.trim().strip_prefix("00").map_or_else(|| raw.to_owned(), |rest| format!("+{rest}"))
}
