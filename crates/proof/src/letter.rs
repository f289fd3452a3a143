//! A certificate as the person reads it: what was erased, what stays, why and until when, who was told, and what the person
//! can do if they disagree (art. 12(4), 13(2)(d), 19).

use jiff::Timestamp;

use crate::certificate::{Certificate, Coverage, Occasion, SystemDone, TaskResult, Verb};

/// The certificate in plain sentences, one paragraph a line. Dates are UTC.
pub fn letter(certificate: &Certificate) -> Vec<String> {
    let mut out = vec![format!("{} has erased your data.", certificate.controller), begun(certificate)];
    if let Some(more) = &certificate.extension {
        out.push(format!("On {} more time was taken ({}): {}", day(more.decided), more.ground, more.reason));
    }
    out.push("What was done:".to_owned());
    out.extend(certificate.systems.iter().flat_map(system));
    if !certificate.holds.is_empty() {
        out.push("What stays, because it must:".to_owned());
        out.extend(certificate.holds.iter().map(|hold| {
            let (title, fields) = (title_of(certificate, &hold.system), hold.fields.join(", "));
            let why = format!("{}, {}", hold.ground, hold.provision);
            format!("- {title}: {fields}, until {} ({why}). It is used for nothing else.", day(hold.until))
        }));
    }
    if !certificate.recipients.is_empty() {
        out.push("Who had received data about you (art. 19):".to_owned());
        out.extend(certificate.recipients.iter().map(|recipient| {
            let told = match recipient.told {
                Some(at) => format!("told of the erasure on {}", day(at)),
                None => "could not be told of the erasure".to_owned(),
            };
            format!("- {}: {}; {told}.", recipient.name, recipient.received)
        }));
    }
    out.push(
        "So that you are not written to again, a keyed digest of your address stays: it recognises the address and \
         cannot be turned back into it."
            .to_owned(),
    );
    out.push(
        "If you disagree, you can complain to the data protection authority where you live or work, and you can go to \
         court (art. 77, 79)."
            .to_owned(),
    );
    out.push(format!(
        "This is case {}. Keep the file that came with this letter: with it and your address you can show that the \
         certificate is yours. Nobody else can.",
        certificate.case
    ));
    out
}

fn begun(certificate: &Certificate) -> String {
    let (received, completed) = (day(certificate.received), day(certificate.completed));
    match &certificate.occasion {
        Occasion::Request => format!("Your request of {received} was completed on {completed}."),
        Occasion::Reappearance { system } => format!(
            "On {received}, {} held data about you again after an erasure. They were erased again by {completed}.",
            title_of(certificate, system)
        ),
    }
}

fn system(system: &SystemDone) -> Vec<String> {
    let title = &system.title;
    let mut out: Vec<String> = Vec::new();
    if let Coverage::Blind { why } = &system.coverage {
        out.push(format!("- {title} could not be searched ({why}); what was known there before is listed."));
    }
    if system.records.is_empty() {
        out.push(format!("- {title}: no record of you was found."));
    }
    for line in &system.records {
        let how = match line.verb {
            Verb::ByHand => " by hand",
            Verb::Erase | Verb::EraseExceptHold => "",
        };
        let on = line.at.map(|at| format!(" on {}", day(at))).unwrap_or_default();
        let what = match &line.result {
            TaskResult::VerifiedAbsent => format!("a record was erased{how}; it was looked for and was gone{on}"),
            TaskResult::Done => format!("a record was erased{how}{on}"),
            TaskResult::Held { until } => format!("a record stays in part until {}, see below", day(*until)),
            TaskResult::Impossible { reason } => format!("a record could not be erased: {reason}"),
        };
        let backups = line.residual_until.map(|until| format!("; backups may hold it until {}", day(until)));
        out.push(format!("- {title}: {what}{}.", backups.unwrap_or_default()));
    }
    out.extend(system.unseen.iter().map(|place| format!("- {title}: nobody could look at {place}.")));
    out
}

fn title_of<'a>(certificate: &'a Certificate, name: &'a str) -> &'a str {
    certificate.systems.iter().find(|system| system.system == name).map_or(name, |system| system.title.as_str())
}

fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}
