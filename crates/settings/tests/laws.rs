//! What holds for any text: nothing panics, and lengths of time keep their order.

use jiff::SignedDuration;
use proptest::prelude::*;
use unisson_settings::{DEFAULT_POLICY, DEFAULT_TEXT, Period, Settings, parse_policy};

/// Text that is nearly a file: pieces of real ones, put together at random.
fn nearly(file: &'static str) -> impl Strategy<Value = String> {
    let lines: Vec<&str> = file.lines().filter(|line| !line.starts_with('#')).collect();
    let odd = prop_oneof![
        Just("[[basis]]".to_owned()),
        Just("id = \"fr_soft_optin\"".to_owned()),
        Just("basis = 5".to_owned()),
        Just("level = { need = { rules = [[1]] } }".to_owned()),
        Just("instances.a.lists.\"\" = {}".to_owned()),
        Just("time = { inactivity_max = \"P99999999Y\" }".to_owned()),
        "[a-z_]{1,12} = ([0-9]{1,25}|\"[A-Z0-9a-z:-]{0,12}\"|\\[\\]|\\{\\}|inf|nan|2026-01-01)",
    ];
    let real = proptest::sample::select(lines).prop_map(str::to_owned);
    proptest::collection::vec(prop_oneof![4 => real, 1 => odd], 0..30).prop_map(|lines| lines.join("\n"))
}

fn environment() -> impl Strategy<Value = Vec<(String, String)>> {
    let name = "UNISSON__[A-Za-z_]{0,20}|UNISSON__(GUARD|SYNC|INSTANCES)(__[A-Z]{0,8}){0,20}";
    proptest::collection::vec((name, any::<String>()), 0..4)
}

proptest! {
    #[test]
    fn no_text_and_no_environment_makes_settings_panic(text in any::<String>(), environment in environment()) {
        let _ = Settings::parse(&text, environment.into_iter(), ".");
    }

    #[test]
    fn no_text_that_is_nearly_a_file_makes_settings_panic(text in nearly(DEFAULT_TEXT), environment in environment()) {
        if let Err(error) = Settings::parse(&text, environment.into_iter(), ".") {
            prop_assert!(!error.to_string().is_empty());
        }
    }

    #[test]
    fn no_text_makes_a_policy_panic(text in any::<String>()) {
        let _ = parse_policy(&text);
    }

    #[test]
    fn no_text_that_is_nearly_a_policy_makes_one_panic(text in nearly(DEFAULT_POLICY)) {
        let _ = parse_policy(&text);
        let _ = parse_policy(&["version = \"1\"\nprofile = \"uk\"\n", &text].concat());
    }

    #[test]
    fn a_name_in_any_case_is_found_in_the_environment_if_it_is_the_only_one(name in "[a-z][a-z0-9]{0,8}(-[a-z]{1,4})?") {
        let text = ["[instances.", &name, "]\nconnector = \"files\""].concat();
        let variable = ["UNISSON__INSTANCES__", &name.to_uppercase().replace('-', "_"), "__ENABLED"].concat();
        let settings = Settings::parse(&text, [(variable, "false".to_owned())].into_iter(), ".").unwrap();
        prop_assert!(!settings.instances[&name].enabled);
        prop_assert_eq!(settings.instances.len(), 1);
    }

    #[test]
    fn any_list_id_is_kept_letter_by_letter(id in "[^\\p{C}\\s]{1,40}") {
        let quoted = serde_json::Value::from(id.as_str());
        let text = format!(
            "[instances.a]\nconnector = \"files\"\n[instances.a.lists]\n{quoted} = {{ purpose = \"p\", channel = \"sms\" }}"
        );
        let settings = Settings::parse(&text, [].into_iter(), ".").unwrap();
        let ids: Vec<&str> = settings.instances["a"].lists.keys().map(unisson_consent::ListId::as_str).collect();
        prop_assert_eq!(ids, [id.as_str()]);
    }

    #[test]
    fn no_text_makes_a_period_panic(text in "[-+]?P?[0-9PYMWDTHS.,]{0,30}") {
        if let Ok(period) = Period::parse(&text) {
            prop_assert!(period.exact() >= SignedDuration::ZERO);
        }
    }

    #[test]
    fn more_months_are_never_shorter_and_less_than_a_day_too_long(months in 0_i64..1_199) {
        let exact = |months: i64| Period::parse(&format!("P{months}M")).unwrap().exact();
        prop_assert!(exact(months) < exact(months + 1));
        let hours = exact(months).as_hours();
        // 30.4375 days are 730.5 hours.
        prop_assert!(hours * 2 >= months * 1461 && hours * 2 < months * 1461 + 48);
        prop_assert_eq!(hours % 24, 0);
    }

    #[test]
    fn a_tombstone_is_never_forgotten_before_the_last_permission(kept in 1_i64..120, idle in 1_i64..120, soft in 1_i64..120) {
        let text = format!(
            "version = \"1\"\nprofile = \"eu-fr\"\n[time]\ninactivity_max = \"P{idle}M\"\ntombstone_retention = \"P{kept}M\"\n\
             [[basis]]\nid = \"fr_soft_optin\"\nmax_age = \"P{soft}M\""
        );
        prop_assert_eq!(parse_policy(&text).is_ok(), kept >= idle.max(soft));
    }

    #[test]
    fn a_year_is_twelve_months_and_a_week_seven_days(count in 0_i64..99) {
        let exact = |text: String| Period::parse(&text).unwrap().exact();
        prop_assert_eq!(exact(format!("P{count}Y")), exact(format!("P{}M", count * 12)));
        prop_assert_eq!(exact(format!("P{count}W")), exact(format!("P{}D", count * 7)));
        prop_assert_eq!(exact(format!("P{count}D")), exact(format!("PT{}H", count * 24)));
    }
}
