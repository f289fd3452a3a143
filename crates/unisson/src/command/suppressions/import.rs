//! `suppressions import`: a list of refusals from anywhere, told to the store; the next sync carries it everywhere.

use serde::Serialize;
use unisson_consent::{
    AddressKind, Bounce, Channel, Channels, Kind, Normalisation, PurposeId, Purposes, SystemId, Who,
};
use unisson_engine::{Clock as _, ListReport, SystemClock, Teller};
use unisson_files::import::{Entry, Import as List, ImportError, Listed, Reading, Spec};
use unisson_plan::RefusalList;
use unisson_store::StoreError;
use unisson_store_sqlite::Access;

use super::{known_channel, known_purpose, shape};
use crate::cli::{Act, Import, Of, Spelling};
use crate::command::Desk;
use crate::compose::Site;
use crate::exit::{Ending, Failure, Outcome};
use crate::screen::{BOLD, CARE, FAINT, Screen, number, paint};

/// How many rows that were set aside are named; the rest is only counted.
const SET_ASIDE_NAMED_MAX: usize = 20;

/// The longest label of a source.
const LABEL_BYTES_MAX: usize = 64;

/// What an import did, as programs read it.
#[derive(Serialize)]
struct Whole<'a> {
    run: Option<&'a str>,
    dry_run: bool,
    source: &'a str,
    shape: &'static str,
    of: Option<&'static str>,
    spelling: Option<&'static str>,
    column: usize,
    header: bool,
    encoding: &'static str,
    read: u64,
    new: u64,
    known: u64,
    set_aside: u64,
    set_aside_named: &'a [String],
    held_now: u64,
    held_by_nobody_yet: u64,
    error: Option<String>,
}

/// Rows that were set aside, and what ended the list before its end.
#[derive(Default)]
struct Rest {
    set_aside: u64,
    named: Vec<String>,
    error: Option<ImportError>,
}

pub(super) async fn run(args: &Import, site: &Site, desk: Desk<'_>) -> Outcome {
    let refusals = refusals(args, site)?;
    let mut list = List::open(&args.file, &spec(args, site)?).map_err(|error| failed(&error))?;
    let store = site.open(Access::ReadWrite)?;
    let mut teller = Teller::new(store.as_ref(), &SystemClock, args.dry_run);
    let run = teller.run().0.clone();
    let rest = tell(&mut list, &refusals, &mut teller).await?;
    let told = teller.finish().await?;
    let whole = Whole {
        run: (!args.dry_run).then_some(run.as_str()),
        dry_run: args.dry_run,
        source: refusals.source.as_str(),
        shape: list.reading().shape.as_str(),
        of: list.reading().of.map(AddressKind::as_str),
        spelling: spelling_of(list.reading()),
        column: list.reading().column,
        header: list.reading().header,
        encoding: list.reading().encoding,
        read: told.read + rest.set_aside,
        new: told.new,
        known: told.known,
        set_aside: rest.set_aside,
        set_aside_named: &rest.named,
        held_now: told.held,
        held_by_nobody_yet: told.read - told.held,
        error: rest.error.as_ref().map(ToString::to_string),
    };
    if desk.screen.json {
        desk.screen.object(&whole)?;
    } else {
        show(&whole, &told, desk.screen)?;
    }
    let is_whole = rest.set_aside == 0 && rest.error.is_none();
    Ok(if is_whole { Ending::Done } else { Ending::Partly })
}

/// Tells every entry. What stops the list before its end is kept: what was read until then counts.
async fn tell(list: &mut List, refusals: &RefusalList, teller: &mut Teller<'_>) -> Result<Rest, StoreError> {
    let mut rest = Rest::default();
    let now = SystemClock.now();
    loop {
        match list.next_entry() {
            Ok(None) => return Ok(rest),
            Ok(Some(Entry::Listed(listed))) => teller.tell(refusals.entry(who(listed), now)).await?,
            Ok(Some(Entry::SetAside { line, reason })) => {
                rest.set_aside += 1;
                if rest.named.len() < SET_ASIDE_NAMED_MAX {
                    rest.named.push(format!("line {line}: {reason}"));
                }
            }
            Err(error) => {
                rest.error = Some(error);
                return Ok(rest);
            }
        }
    }
}

fn who(listed: Listed) -> Who {
    match listed {
        Listed::Address(address) => Who { addresses: vec![address], ..Who::default() },
        Listed::Digest(digest) => Who { hashes: vec![digest], ..Who::default() },
    }
}

/// What it means to be on the list.
fn refusals(args: &Import, site: &Site) -> Result<RefusalList, Failure> {
    args.purposes.iter().try_for_each(|purpose| known_purpose(site, Some(purpose)))?;
    args.channels.iter().try_for_each(|channel| known_channel(Some(channel)))?;
    let act = match args.reason {
        Act::Withdrawn => Kind::Withdraw,
        Act::Objected => Kind::Object,
        Act::Refused => Kind::Refuse,
        Act::Complaint => Kind::Complaint,
        Act::OperatorBlock => Kind::OperatorBlock,
        Act::Undeliverable => Kind::Bounce(Bounce::Hard),
    };
    let mut purposes: Vec<PurposeId> = args.purposes.iter().map(PurposeId::new).collect();
    purposes.sort();
    purposes.dedup();
    let channels: Channels = args.channels.iter().filter_map(|name| Channel::parse(name)).collect();
    Ok(RefusalList {
        source: source(args, site)?,
        act,
        purposes: if purposes.is_empty() { Purposes::AllMarketing } else { Purposes::Named(purposes) },
        channels: (!channels.is_empty()).then_some(channels),
    })
}

/// Who the ledger says told it. A label cannot be taken for the name of an instance.
fn source(args: &Import, site: &Site) -> Result<SystemId, Failure> {
    if let Some(name) = &args.system {
        site.known(std::slice::from_ref(name))?;
        return Ok(SystemId::new(name));
    }
    let label = args.source.as_deref().unwrap_or_default();
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    if label.is_empty() || label.len() > LABEL_BYTES_MAX || !label.bytes().all(allowed) {
        return Err(Failure::new("the label of the source is no word").next(format!(
            "write up to {LABEL_BYTES_MAX} letters, digits, dots, hyphens and underscores, such as --source partner"
        )));
    }
    if site.settings.instances.contains_key(label) {
        return Err(Failure::new(format!("`{label}` is an instance")).next(format!(
            "write --system {label} if the list was taken from it, or another label if somebody else handed it over"
        )));
    }
    Ok(SystemId::new(format!("list:{label}")))
}

/// What was said of the list beforehand.
fn spec(args: &Import, site: &Site) -> Result<Spec, Failure> {
    let separator = match args.separator {
        None => None,
        Some(typed) => Some(u8::try_from(typed).ok().filter(u8::is_ascii).ok_or_else(|| {
            Failure::new("the separator is no ASCII character").next("write it as it stands in the file, such as \";\"")
        })?),
    };
    Ok(Spec {
        shape: args.shape.map(shape),
        of: args.of.map(|of| match of {
            Of::Email => AddressKind::Email,
            Of::Phone => AddressKind::Phone,
        }),
        spelling: Some(match args.spelling {
            Spelling::Lower => Normalisation::TrimLower,
            Spelling::Google => Normalisation::GoogleDots,
            Spelling::Uid2 => Normalisation::Uid2,
        }),
        column: args.column.clone(),
        country: Some(site.law.policy.country.as_str().to_owned()),
        encoding: args.encoding.clone(),
        separator,
    })
}

fn failed(error: &ImportError) -> Failure {
    let next = match error {
        ImportError::Read(_) => "name a file that is there and that you may read",
        ImportError::Encoding => "write --encoding with a name such as utf-8 or windows-1252",
        ImportError::FirstRow => "say how it is written with --encoding and --separator",
        ImportError::Column(_) => "name the column with --column as the first row does, or by its number",
        ImportError::Unrecognised => {
            "say what it holds: --shape plain --of phone for numbers in national form, --shape md5 and the like for digests, \
             --column for the column"
        }
        ImportError::Ambiguous(_) => "say which one counts with --column, and import the others after it",
        ImportError::Mixed { .. } => {
            "say how its addresses are written with --shape; rows that differ are then set aside"
        }
        ImportError::CutOff(_) => "get the list again",
    };
    Failure::of(error).next(next)
}

fn show(whole: &Whole<'_>, told: &ListReport, screen: Screen) -> Result<(), Failure> {
    let spelling = whole.spelling.map_or(String::new(), |spelling| format!(" {spelling}"));
    let header = if whole.header { ", below a header" } else { ", without a header" };
    screen.say(paint(FAINT, format!("read column {}{header}, {}{spelling}", whole.column, shape_words(whole))));
    let would = if whole.dry_run { "would be new" } else { "new" };
    screen.data(format!(
        "{} rows of {}: {} {would}, {} known or listed twice, {} set aside",
        paint(BOLD, number(whole.read)),
        whole.source,
        number(whole.new),
        number(whole.known),
        number(whole.set_aside)
    ))?;
    screen.data(format!("{} match people in the store now", number(told.held)))?;
    if whole.held_by_nobody_yet > 0 {
        screen.data(format!(
            "{} match nobody yet: they will catch whoever comes later",
            number(whole.held_by_nobody_yet)
        ))?;
    }
    for row in whole.set_aside_named {
        screen.data(format!("  {}", paint(CARE, format!("set aside: {row}"))))?;
    }
    if let Some(error) = &whole.error {
        screen.data(format!("  {}", paint(CARE, format!("not reached: {error}"))))?;
    }
    screen.say(if whole.dry_run {
        "nothing was told to the store: leave --dry-run out to do so"
    } else {
        "run `unisson sync` to carry it to every platform"
    });
    Ok(())
}

fn shape_words(whole: &Whole<'_>) -> String {
    let kind = match whole.of {
        Some("email") => "e-mail addresses",
        Some("phone") => "telephone numbers",
        _ => "addresses",
    };
    let shapes = unisson_files::import::Shape::ALL;
    let words = shapes.into_iter().find(|(_, name)| *name == whole.shape).map_or("", |(shape, _)| shape.words());
    format!("{kind} {words}")
}

/// How addresses were spelt before they were hashed, in words.
fn spelling_of(reading: &Reading) -> Option<&'static str> {
    reading.shape.algorithm(reading.spelling)?;
    Some(match (reading.of, reading.spelling) {
        (Some(AddressKind::Phone), _) => "of E.164 numbers",
        (_, Normalisation::TrimLower) => "of trimmed lower case",
        (_, Normalisation::GoogleDots) => "of trimmed lower case without dots before gmail.com",
        (_, Normalisation::Uid2) => "of trimmed lower case without dots and plus tags before gmail.com",
    })
}
