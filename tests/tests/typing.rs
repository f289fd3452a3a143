//! What people mistype, and what they are told: every error names the place and offers the next step.

use unisson_tests::{Company, program};

async fn company() -> Company {
    Company::found(1, 20, |settings| settings).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_shared_scenario_passes_by_the_command_a_user_types() {
    let company = company().await;
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/consent.yaml");
    let test = company.run(&["policy", "test", file]).await;
    let last = test.out.lines().last().unwrap_or_default();
    assert_eq!((test.code, last), (0, "89 passed, 0 failed"), "{}\n{}", test.out, test.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_misspelt_key_is_refused_with_the_nearest_name() {
    let company =
        Company::found(1, 20, |settings| settings.replace("[instances.news]", "[gaurd]\ncount = 3\n[instances.news]"))
            .await;
    let check = company.run(&["check"]).await;
    assert_eq!(check.code, 1);
    assert!(check.err.contains("gaurd") && check.err.contains("guard"), "{}", check.err);

    let company =
        Company::found(1, 20, |settings| settings.replace("purpose = \"newsletter\"", "purpose = \"newsleter\"")).await;
    let check = company.run(&["check"]).await;
    assert_eq!(check.code, 1);
    assert!(check.err.contains("newsletter"), "{}", check.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_written_out_is_refused_and_not_repeated() {
    let company = Company::found(1, 20, |settings| {
        settings.replace("api_key = { file = \"mailchimp.key\" }", "api_key = \"canary-us1\"")
    })
    .await;
    let check = company.run(&["check"]).await;
    assert_eq!(check.code, 1);
    assert!(check.err.contains("env =") && !check.err.contains("canary"), "{}", check.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_words_on_the_command_line_offer_the_right_ones() {
    let company = company().await;
    for (arguments, offered) in [
        (&["sync", "--instance", "newz"][..], "news"),
        (&["suppressions", "list", "--reason", "withdrawl"], "withdrawn"),
        (&["suppressions", "list", "--purpose", "letter"], "newsletter"),
        (&["connectors", "describe", "mailchump"], "connectors list"),
    ] {
        let ended = company.run(arguments).await;
        assert_eq!(ended.code, 1, "{arguments:?}: {}", ended.out);
        assert!(ended.err.contains(offered), "{arguments:?}: {}", ended.err);
    }
}

#[test]
fn init_writes_what_policy_check_accepts_and_overwrites_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = |arguments: &[&str]| {
        std::process::Command::new(program()).args(arguments).current_dir(folder.path()).output().expect("it starts")
    };
    assert!(run(&["init"]).status.success());
    assert!(run(&["policy", "check", "policy.toml"]).status.success());
    let again = run(&["init"]);
    assert_eq!(again.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&again.stderr).contains("exists"));
}
