//! A certificate as an operator reads it: lines for a terminal, without colours.

use jiff::Timestamp;

use crate::certificate::{Certificate, Coverage, Line, Occasion, Outcome, SystemDone, TaskResult, Verb};

/// The certificate in lines of text. Times are UTC; texts of operators and platforms stand as they were given.
pub fn lines(certificate: &Certificate) -> Vec<String> {
    let mut out = vec![format!("Certificate of erasure {}", certificate.case)];
    let mut row = |name: &str, text: String| out.push(format!("  {name:<11} {text}"));
    row("controller", certificate.controller.clone());
    row("ground", certificate.ground.clone());
    if let Occasion::Reappearance { system } = &certificate.occasion {
        row("occasion", format!("{system} showed the person again after an erasure"));
    }
    row("received", moment(certificate.received));
    row("due", moment(certificate.due));
    if let Some(more) = &certificate.extension {
        row("extended", format!("{}, {}: {}", moment(more.decided), more.ground, more.reason));
    }
    row("completed", format!("{}{}", moment(certificate.completed), late(certificate)));
    row("outcome", outcome(certificate.outcome).to_owned());
    for system in &certificate.systems {
        out.extend(system_lines(system));
    }
    for hold in &certificate.holds {
        let fields = hold.fields.join(", ");
        out.push(format!("Held in {} until {}: {fields}", hold.system, moment(hold.until)));
        out.push(format!("  `{}`, {}, {}", hold.name, hold.ground, hold.provision));
    }
    for recipient in &certificate.recipients {
        let told = recipient.told.map_or("not told".to_owned(), |told| format!("told {}", moment(told)));
        out.push(format!("Recipient {}: {}, {told}", recipient.name, recipient.received));
    }
    out.push(format!("Policy {} ({})", certificate.policy.version, certificate.policy.hash));
    out.push(format!("Made {} by {}", moment(certificate.issued), certificate.software));
    out.extend(certificate.commitments.iter().map(|commitment| format!("Commitment {commitment}")));
    out
}

fn system_lines(system: &SystemDone) -> Vec<String> {
    let searched = match &system.coverage {
        Coverage::Searched { at } => format!("searched {}", moment(*at)),
        Coverage::Blind { why } => format!("not searched: {why}"),
    };
    let mut out = vec![format!("{} ({}): {searched}", system.title, system.system)];
    if system.records.is_empty() {
        out.push("  no record of the person was found".to_owned());
    }
    out.extend(system.records.iter().map(|line| format!("  {}", record(line))));
    out.extend(system.unseen.iter().map(|place| format!("  not covered: {place}")));
    out
}

fn record(line: &Line) -> String {
    let verb = match line.verb {
        Verb::Erase => "erase",
        Verb::EraseExceptHold => "erase except hold",
        Verb::ByHand => "by hand",
    };
    let result = match &line.result {
        TaskResult::VerifiedAbsent => "verified absent".to_owned(),
        TaskResult::Done => "done".to_owned(),
        TaskResult::Held { until } => format!("held until {}", moment(*until)),
        TaskResult::Impossible { reason } => format!("impossible: {reason}"),
    };
    let mut text = format!("{verb}: {result}");
    let mut add = |part: String| {
        text.push_str(", ");
        text.push_str(&part);
    };
    if let Some(at) = line.at {
        add(moment(at));
    }
    if let Some(until) = line.residual_until {
        add(format!("in the platform's backups until {}", moment(until)));
    }
    if let Some(note) = &line.note {
        add(note.clone());
    }
    if let Some(receipt) = &line.receipt {
        add(format!("receipt {receipt}"));
    }
    text
}

fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Completed => "everything found was erased",
        Outcome::CompletedWithHolds => "erased except what a hold keeps",
    }
}

fn late(certificate: &Certificate) -> &'static str {
    if certificate.completed > certificate.due { " (late)" } else { "" }
}

/// To the second, in UTC.
fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}
