//! Policies: refused with a place and a reason, or taken, and then every fact can be folded under them.

use std::sync::LazyLock;

use unisson_consent::{Fact, Policy};
use unisson_settings::{DEFAULT_POLICY, LoadError, LoadedPolicy, parse_policy};

use super::silence::is_bounded;
use super::{codec, folding};

/// Words that policies are made of.
pub const WORDS: &[&[u8]] = &[
    b"version = \"1\"\nprofile = \"eu-fr\"\n",
    b"[purposes.x]\nfamily = \"marketing\"\n",
    b"parent = \"x\"\n",
    b"[[basis]]\n",
    b"id = \"x\"\n",
    b"basis = \"soft_opt_in\"\n",
    b"facts = [\"sale\", \"opt_out_offered\", \"similar\"]\n",
    b"channel = [\"email\"]\n",
    b"max_age = \"P36M\"\n",
    b"[time]\n",
    b"inactivity_max = \"none\"\n",
    b"\"indefinite\"",
    b"[level.need]\n",
    b"[[level.need.rules]]\n",
    b"level = 1\n",
    b"[lineage]\n",
    b"\"\"\"",
    b"{",
    b"}",
    b"[[",
    b"]]",
    b" = ",
    b"9223372036854775808",
    b"1e999",
    b"nan",
    b"1979-05-27T07:32:00Z",
    b"without_basis = []\n",
];

static FACTS: LazyLock<Vec<Fact>> = LazyLock::new(folding::every_kind);

static BUILT_IN: LazyLock<Policy> =
    LazyLock::new(|| parse_policy(DEFAULT_POLICY).expect("the built-in policy is one").policy);

/// Folds facts under the policy that ships.
///
/// # Panics
/// Where a promise of the law is broken.
pub fn fold(facts: &[Fact]) {
    folding::fold(facts, &BUILT_IN);
}

/// The same at one moment only.
///
/// # Panics
/// Where a promise of the law is broken.
pub fn glance(facts: &[Fact]) {
    folding::glance(facts, &BUILT_IN);
}

/// Reads text as a policy, and what stands behind its first NUL as a fact to fold under it.
///
/// # Panics
/// Where a promise is broken.
pub fn run(input: &[u8]) {
    let end = input.iter().position(|byte| *byte == 0).unwrap_or(input.len());
    let Ok(text) = std::str::from_utf8(&input[..end]) else { return };
    match parse_policy(text) {
        Ok(loaded) => taken(&loaded, text, codec::built(input.get(end + 1..).unwrap_or_default())),
        Err(error) => refused(&error, text),
    }
}

fn taken(loaded: &LoadedPolicy, text: &str, told: Option<Fact>) {
    let again = parse_policy(text).map(|again| again.hash);
    assert_eq!(again.ok().as_ref(), Some(&loaded.hash), "the same text is the same policy");
    assert!(loaded.hash.len() == 64 && loaded.hash.bytes().all(|byte| byte.is_ascii_hexdigit()), "{}", loaded.hash);
    let effective = serde_json::from_str::<serde_json::Value>(&loaded.effective);
    assert!(effective.is_ok_and(|effective| effective.is_object()), "the policy in force is shown whole");
    let facts: Vec<Fact> = FACTS.iter().cloned().chain(told).collect();
    // All at once, and each by itself: what erases or restricts hides the rest.
    folding::fold(&facts, &loaded.policy);
    for fact in &facts {
        folding::fold(std::slice::from_ref(fact), &loaded.policy);
    }
}

fn refused(error: &LoadError, text: &str) {
    assert!(!error.defects().is_empty(), "what is refused says why");
    let lines = text.lines().count() + 1;
    for defect in error.defects() {
        is_bounded(&defect.to_string());
        let own = defect.place.source == "policy";
        assert!(!own || defect.place.line.is_none_or(|line| (1..=lines).contains(&line)), "{}", defect.place);
    }
}
