//! What goes wrong around a sync: outages, storms of 429, credentials that end, faults on pages and writes, clocks that
//! jump, processes that end.

use jiff::SignedDuration;
use unisson_sandbox::{Fault, Framing, Handle, Lag, RetryAfter, Rule};
use unisson_tests::{Hold, Kind, Side};

use crate::company::{Company, End};
use crate::dice::Dice;

/// How many syncs an outage may outlast.
const OUTAGE_SYNCS_MAX: u32 = 9;

/// By how many minutes the host's clock may be behind: more than a day.
const BEHIND_MIN_MAX: i64 = 26 * 60;

/// The weather of a month.
#[derive(Debug, Default)]
pub(crate) struct Weather {
    /// For how many syncs each platform stays away.
    away: [u32; 3],
    /// For how many syncs the host's clock stays wrong.
    wrong: u32,
    /// How many processes ended before their time.
    pub(crate) crashes: u32,
}

impl Weather {
    /// What it is like before the next sync.
    pub(crate) fn turn(&mut self, company: &Company, dice: &mut Dice) -> Vec<String> {
        let mut told = Vec::new();
        for (place, handle) in handles(company).into_iter().enumerate() {
            handle.clear_faults();
            let away = &mut self.away[place];
            *away = away.saturating_sub(1);
            if *away == 0 && dice.chance(6) {
                *away = dice.between(1, OUTAGE_SYNCS_MAX);
                told.push(format!("platform {place} is away for {away} syncs"));
            }
            handle.set_outage(*away > 0);
            if dice.chance(6) {
                let after = dice.pick(&[
                    RetryAfter::Bare,
                    RetryAfter::Seconds(6),
                    RetryAfter::Date(40),
                    RetryAfter::Seconds(3_600),
                    RetryAfter::Text("soon".to_owned()),
                ]);
                let calls = dice.between(1, 60);
                handle.storm(calls, after.clone());
                told.push(format!("platform {place} turns away {calls} calls, {after:?}"));
            }
            if dice.chance(6) {
                handle.expire(dice.between(1, 4));
                company.twins.hubspot().expire_tokens();
                told.push(format!("credentials of platform {place} end"));
            }
            if dice.chance(25) {
                let rule = rule(place, dice);
                told.push(format!("platform {place}: {rule:?}"));
                handle.inject(rule).expect("the fault is understood");
            }
        }
        self.wrong = self.wrong.saturating_sub(1);
        if self.wrong == 0 {
            company.clock.set_wrong_by(SignedDuration::ZERO);
            if dice.chance(8) {
                // Usually little, sometimes much.
                let most = dice.pick(&[2, 60, 24 * 60, 30 * 24 * 60]);
                let ahead = i64::from(dice.between(1, most));
                let by = SignedDuration::from_mins(if dice.chance(50) { ahead } else { -ahead.min(BEHIND_MIN_MAX) });
                company.clock.set_wrong_by(by);
                self.wrong = dice.between(1, 6);
                told.push(format!("the host's clock is wrong by {by:#} for {} syncs", self.wrong));
            }
        }
        told
    }

    /// Where the process of the next sync ends.
    pub(crate) fn end(&mut self, company: &Company, dice: &mut Dice) -> End {
        if !dice.chance(20) {
            return End::Own;
        }
        self.crashes += 1;
        match dice.below(3) {
            0 => End::AtPoll(dice.between(1, 300)),
            1 => End::AtCall(Hold { kind: Kind::Read, number: dice.between(1, 30), side: Side::After }),
            _ => {
                // A rotated token whose answer is lost is lost for good; its renewal counts among the writes.
                let side = if company.has_oauth() || dice.chance(50) { Side::Before } else { Side::After };
                End::AtCall(Hold { kind: Kind::Write, number: dice.between(1, 8), side })
            }
        }
    }

    /// From now on everything works.
    pub(crate) fn clear(&mut self, company: &Company) {
        for handle in handles(company) {
            handle.clear_faults();
            handle.set_outage(false);
            handle.storm(0, RetryAfter::Bare);
            handle.expire(0);
        }
        company.clock.set_wrong_by(SignedDuration::ZERO);
        (self.away, self.wrong) = ([0; 3], 0);
    }
}

fn handles(company: &Company) -> [&Handle; 3] {
    let twins = &company.twins;
    [twins.mailchimp().handle(), twins.hubspot().handle(), twins.brevo().handle()]
}

/// A fault on a page or on a write.
fn rule(place: usize, dice: &mut Dice) -> Rule {
    let on_read = [
        Fault::RateLimited(RetryAfter::Seconds(2)),
        Fault::ServerError(500),
        Fault::ServerError(503),
        Fault::Unauthorized,
        Fault::AddressInError,
        Fault::HtmlPage,
        Fault::ErrorInside,
        Fault::TruncatedJson,
        Fault::CutBody(Framing::Length),
        Fault::StallBody(1_500),
        Fault::StallForEver,
        Fault::DropCall,
        Fault::EmptyPage,
        Fault::FalseEnd,
        Fault::ShortPage(3),
        Fault::RepeatedPage,
        Fault::CursorLoop(1),
        Fault::CursorLoop(2),
    ];
    let on_write = [
        Fault::RateLimited(RetryAfter::Seconds(2)),
        Fault::ServerError(503),
        Fault::ClientError(400),
        Fault::HtmlPage,
        Fault::TruncatedJson,
        Fault::DropCall,
        Fault::LostAnswer,
        Fault::FalseAcknowledgement,
        Fault::LateEffect(Lag::Milliseconds(600_000)),
        Fault::RefuseRows(vec![0]),
    ];
    let (listing, (writing, method)) = [
        ("/members", ("/members/", "PATCH")),
        ("/objects/contacts", ("/communication-preferences", "POST")),
        ("/contacts", ("/contacts/", "PUT")),
    ][place];
    if dice.chance(50) {
        return Rule::new(dice.pick(&on_read)).on(listing).at_page(dice.between(1, 4)).times(dice.between(1, 8));
    }
    let rule = Rule::new(dice.pick(&on_write)).on(writing).method(method);
    if dice.chance(30) { rule.always() } else { rule.at_call(dice.between(1, 4)).times(dice.between(1, 4)) }
}
