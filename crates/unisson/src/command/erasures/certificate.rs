//! `erasures certificate` and `erasures verify`: the proof of an erasure, and its check.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use unisson_consent::{AddressKind, SystemId};
use unisson_engine::Undecided;
use unisson_plan::erasure::{HoldRule, Step};
use unisson_proof::{CERTIFICATE_BYTES_MAX, Certificate, Context, PublicKey, RecipientTold, Salt, letter, lines};

use super::one;
use crate::cli;
use crate::command::Desk;
use crate::compose::Site;
use crate::erasing::signing_key;
use crate::exit::{Ending, Failure, Outcome};
use crate::handed;
use crate::screen::{GOOD, paint};
use crate::whom::read_address;

/// What a check found, as programs read it.
#[derive(Serialize)]
struct Checked {
    valid: bool,
    key: String,
    trusted: bool,
    about_the_address: Option<bool>,
}

pub(super) async fn write(args: &cli::Certificate, desk: Desk<'_>) -> Outcome {
    let site = Site::load(desk.config)?;
    let key = signing_key(&site.settings)?;
    let holds: Vec<HoldRule> = site.holds().collect();
    let policy_hash = hash_of(&site.policy.hash);
    let controller = site.settings.controller.name.clone();
    let version = site.policy.version.clone();
    let recipients: Vec<RecipientTold> = handed::read(&site)?
        .into_iter()
        .map(|file| RecipientTold { name: file.recipient, received: file.what, told: None })
        .collect();
    let engine = site.engine(desk.screen.progress)?;
    let case = one(engine.store.as_ref(), &args.case).await?;
    let titled = engine.instances.iter();
    let titles: BTreeMap<SystemId, String> =
        titled.map(|instance| (instance.id.clone(), instance.connector.info().title.to_owned())).collect();
    let context = Context {
        controller: &controller,
        policy_version: &version,
        policy_hash,
        software: concat!("unisson ", env!("CARGO_PKG_VERSION")),
        holds: &holds,
        titles: &titles,
        recipients: &recipients,
        issued_at: Timestamp::now(),
    };
    let certificate = Certificate::of(&case, &context).map_err(|error| {
        Failure::of(&error).next(format!("`unisson erasures show {}` tells what it waits for", case.id))
    })?;
    let signed = certificate.sign(&key).map_err(|error| Failure::of(&error))?;
    let Some(out) = &args.out else {
        if desk.screen.json {
            let text = signed.for_controller().map_err(|error| Failure::of(&error))?;
            let value: serde_json::Value = serde_json::from_str(&text).map_err(|error| Failure::of(&error))?;
            desk.screen.object(&value)?;
        } else {
            for line in lines(signed.certificate()) {
                desk.screen.data(line)?;
            }
        }
        return Ok(Ending::Done);
    };
    let text = if args.for_person {
        let salt = case.salt.ok_or_else(|| {
            Failure::new("the person's copy was written before, and the salt went with it")
                .next("ask the person for it; `--out` without `--for-person` writes the controller's copy")
        })?;
        signed.for_person(&Salt(salt))
    } else {
        signed.for_controller()
    };
    let text = text.map_err(|error| Failure::of(&error))?;
    unisson_proof::write_private(out, text.as_bytes())
        .map_err(|error| Failure::of(&error).next("name a file that does not exist yet"))?;
    if args.for_person {
        engine.decide(&case.id, Step::Given).await.map_err(|error| match error {
            Undecided::Store(error) => error.into(),
            other => Failure::of(&other),
        })?;
        for line in letter(signed.certificate()) {
            desk.screen.data(line)?;
        }
        desk.screen.say(format!("wrote {}: it belongs into the person's hands and nowhere else", out.display()));
    } else {
        desk.screen.say(format!("wrote {}", out.display()));
    }
    Ok(Ending::Done)
}

pub(super) fn verify(args: &cli::VerifyCertificate, desk: Desk<'_>) -> Outcome {
    let bytes = read(&args.file)?;
    let site = Site::load(desk.config);
    let trusted = match &args.key {
        Some(key) => Some(PublicKey::parse(key).map_err(|error| Failure::of(&error).next("give the key in base64"))?),
        // Whoever has no settings checks the signature alone, and is told so.
        None => site.as_ref().ok().and_then(|site| signing_key(&site.settings).ok()).map(|key| key.public()),
    };
    let verified = unisson_proof::verify(&bytes, trusted.as_ref())
        .map_err(|error| Failure::of(&error).next("ask whoever gave it to you for the original"))?;
    let home =
        site.as_ref().map_or_else(|_| unisson_consent::Country::parse("FR"), |site| Some(site.law.policy.country));
    let about = match (&args.address, home) {
        (Some(address), Some(home)) => {
            let address = read_address(address, home)?;
            let about = verified.is_about(&address);
            if about.is_none() {
                return Err(
                    Failure::new("this copy identifies nobody").next("check the person's own copy, which has the salt")
                );
            }
            let kind = if address.kind() == AddressKind::Phone { "number" } else { "address" };
            if about == Some(false) {
                return Err(Failure::new(format!("the certificate is valid, and it is not about this {kind}"))
                    .next("try the spelling that the person used"));
            }
            about
        }
        _ => None,
    };
    if desk.screen.json {
        let key = verified.key.to_string();
        let checked = Checked { valid: true, key, trusted: verified.is_trusted, about_the_address: about };
        desk.screen.object(&checked)?;
        return Ok(Ending::Done);
    }
    for line in lines(&verified.certificate) {
        desk.screen.data(line)?;
    }
    desk.screen.data(paint(GOOD, "the signature is right, and nothing was changed since"))?;
    desk.screen.data(if verified.is_trusted {
        "signed with the key that is trusted here".to_owned()
    } else {
        format!("signed with {}: compare that key with the controller's", verified.key)
    })?;
    if about == Some(true) {
        desk.screen.data(paint(GOOD, "it is about this address"))?;
    }
    Ok(Ending::Done)
}

fn read(path: &std::path::Path) -> Result<Vec<u8>, Failure> {
    use std::io::Read as _;
    let failed = |error: std::io::Error| Failure::of(&error).next("name the file of a certificate");
    let file = std::fs::File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(CERTIFICATE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

/// The bytes of a digest in hexadecimal; zeros where it is none.
fn hash_of(hex: &str) -> [u8; 32] {
    let mut hash = [0; 32];
    for (place, byte) in hash.iter_mut().enumerate() {
        *byte =
            hex.get(place * 2..place * 2 + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok()).unwrap_or_default();
    }
    hash
}
