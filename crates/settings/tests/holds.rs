//! Holds: what a policy says must stay, and who is asked before it does.

use jiff::SignedDuration;
use unisson_consent::HoldBasis;
use unisson_settings::{HoldSetting, LoadError, LoadedPolicy, Settings, check_holds, parse_policy};

const INVOICES: &str = r#"
[[hold]]
name = "invoices"
system = "billing"
fields = ["invoice", "name and billing address"]
ground = "legal_obligation"
provision = "C. com. L123-22"
keeps_for = "P10Y"
applies = "always"
"#;

const DISPUTE: &str = r#"
[[hold]]
name = "dispute"
system = "crm"
fields = ["case file"]
ground = "legal_claims"
provision = "C. civ. 2224"
keeps_for = "P5Y"
applies = "on_request"
"#;

fn over(text: &str) -> Result<LoadedPolicy, LoadError> {
    parse_policy(&format!("version = \"1\"\nprofile = \"eu-de\"\n{text}"))
}

#[test]
fn a_hold_says_what_stays_where_why_and_until_when() {
    let holds = over(&format!("{INVOICES}{DISPUTE}")).unwrap().holds;
    let invoices = HoldSetting {
        name: "invoices".to_owned(),
        system: "billing".into(),
        fields: vec!["invoice".to_owned(), "name and billing address".to_owned()],
        ground: HoldBasis::LegalObligation,
        provision: "C. com. L123-22".to_owned(),
        keeps_for: SignedDuration::from_hours(3653 * 24),
        always: true,
    };
    assert_eq!(holds[0], invoices);
    assert_eq!((holds[1].ground, holds[1].always), (HoldBasis::LegalClaims, false));
    assert_eq!(holds.len(), 2);
}

#[test]
fn a_policy_without_holds_has_none_and_keeps_its_digest() {
    let silent = over("").unwrap();
    assert_eq!(silent.holds, Vec::new());
    assert!(!silent.effective.contains("hold"), "a key that nobody wrote must not change yesterday's digest");
}

#[test]
fn a_hold_is_part_of_what_is_digested() {
    let silent = over("").unwrap();
    let held = over(INVOICES).unwrap();
    assert_ne!(silent.hash, held.hash);
    let longer = over(&INVOICES.replace("P10Y", "P11Y")).unwrap();
    assert_ne!(held.hash, longer.hash);
}

#[test]
fn a_hold_on_a_system_that_is_none_is_refused_with_the_nearest_one() {
    let text = "[instances.billing]\nconnector = \"files\"\n[instances.news]\nconnector = \"mailchimp\"";
    let settings = Settings::parse(text, [].into_iter(), "/etc/unisson").unwrap();
    let holds = over(INVOICES).unwrap().holds;
    check_holds(&holds, &settings).unwrap();
    let holds = over(&INVOICES.replace("\"billing\"", "\"biling\"")).unwrap().holds;
    assert_eq!(
        check_holds(&holds, &settings).unwrap_err().to_string(),
        "load the policy: policy: hold.invoices.system names `biling`, which is no instance of the settings; did you \
         mean `billing`? known are billing, news"
    );
}
