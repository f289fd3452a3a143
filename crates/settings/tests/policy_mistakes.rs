//! What no policy may say (invariant I24 and the clamps around it), and how each mistake is named.

use unisson_settings::{LoadError, LoadedPolicy, parse_policy};

/// A policy over the profile eu-fr.
fn over(text: &str) -> Result<LoadedPolicy, LoadError> {
    parse_policy(&format!("version = \"1\"\nprofile = \"eu-fr\"\n{text}"))
}

/// Policies that say too little of themselves, and what is said of them.
const NAMELESS: &[(&str, &str)] = &[
    // no version
    (
        "profile = \"eu-fr\"",
        "load the policy: policy: version is missing; name this edition, for example version = \"2026-11-23.1\"",
    ),
    // no profile
    ("version = \"1\"", "load the policy: policy: profile is missing; write one of eu-fr, eu-de, eu-it, uk, us, ca"),
    // profile misspelt
    (
        "version = \"1\"\nprofile = \"eu-ft\"",
        "load the policy: policy, line 2: profile is not a profile; did you mean `eu-fr`? known are eu-fr, eu-de, \
         eu-it, uk, us, ca",
    ),
    // profile as a number
    (
        "version = \"1\"\nprofile = 3",
        "load the policy: policy, line 2: profile is not a profile; write one of eu-fr, eu-de, eu-it, uk, us, ca, \
         in quotes",
    ),
    // version with a space
    (
        "version = \"my first\"\nprofile = \"uk\"",
        "load the policy: policy, line 1: version is no name; write up to 64 letters, digits, dots, hyphens and \
         underscores without accents",
    ),
    // regrant below the table of the profile
    (
        "version = \"1\"\nprofile = \"eu-de\"\n[level.regrant]\nwithdraw = 3",
        "load the policy: policy, line 4: level.regrant.withdraw is below 4, the least that this profile takes; \
         write withdraw = 4 or more",
    ),
];

/// What is wrong in a policy over the profile eu-fr, whose first line is the third, and what is said of it.
const MISTAKES: &[(&str, &str)] = &[
    // unknown section
    (
        "[tiem]\ninactivity_max = \"P36M\"",
        "load the policy: policy, line 3: tiem is no key of this table; did you mean `time`? known are version, \
         profile, country, push_grants, level, time, scope, identity, minor_age, reachability, campaign, purposes, \
         basis, hold, lineage, without_basis",
    ),
    // unknown key
    (
        "[time]\ninactivity = \"P36M\"",
        "load the policy: policy, line 4: time.inactivity is no key of this table; did you mean `inactivity_max`? \
         known are inactivity_max, consent_max_age, expiry_ask_window, doi_pending_ttl, suppression_retention, \
         suppression_review, tombstone_retention, proof_retention, erasure_due, erasure_extension, \
         negative_sla_alarm, negative_sla_hard",
    ),
    // country misspelt
    ("country = \"UK\"", "load the policy: policy, line 3: country is not the code of a country; did you mean \"GB\"?"),
    // country by name
    (
        "country = \"Francee\"",
        "load the policy: policy, line 3: country is not the code of a country; did you mean \"FR\"?",
    ),
    // country like nothing
    (
        "country = \"Q9\"",
        "load the policy: policy, line 3: country is not the code of a country; write two letters of ISO 3166-1 \
         such as \"FR\"",
    ),
    // tombstone shorter than the life of a grant
    (
        "[time]\ntombstone_retention = \"P2Y\"",
        "load the policy: policy, line 4: time.tombstone_retention is shorter than the longest life of a \
         permission, \"P36M\" by time.inactivity_max: an old list could bring people back who are protected now; \
         write \"P36M\", more, or \"indefinite\"",
    ),
    // suppression shorter than the life of a grant
    (
        "[time]\nsuppression_retention = \"P36M\"\ninactivity_max = \"P48M\"",
        "load the policy: policy, line 4: time.suppression_retention is shorter than the longest life of a \
         permission, \"P48M\" by time.inactivity_max: an old list could bring people back who are protected now; \
         write \"P48M\", more, or \"indefinite\"",
    ),
    // suppression shorter than three years
    (
        "[time]\nsuppression_retention = \"P30M\"\ninactivity_max = \"P24M\"\n[[basis]]\nid = \
         \"fr_soft_optin\"\nmax_age = \"P24M\"",
        "load the policy: policy, line 4: time.suppression_retention is shorter than the least for objections; \
         write \"P3Y\", more, or \"indefinite\"",
    ),
    // no limit of inactivity
    (
        "[time]\ninactivity_max = \"none\"",
        "load the policy: built-in policy.toml (override it in your policy), line 63: time.tombstone_retention ends \
         although a permission can live for ever (time.inactivity_max and time.consent_max_age are both \"none\"): \
         an old list could bring people back who are protected now; write \"indefinite\", or limit permissions",
    ),
    // a soft opt-in older than the tombstone
    (
        "[[basis]]\nid = \"fr_soft_optin\"\nmax_age = \"P6Y\"",
        "load the policy: built-in policy.toml (override it in your policy), line 63: time.tombstone_retention is \
         shorter than the longest life of a permission, \"P6Y\" by basis.fr_soft_optin.max_age: an old list could \
         bring people back who are protected now; write \"P6Y\", more, or \"indefinite\"",
    ),
    // implied consent without an end
    (
        "[[basis]]\nid = \"ca_sale\"\ncountry = [\"CA\"]\nchannel = [\"email\"]\npurpose = [\"promotions\"]\nbasis \
         = \"implied_consent\"\nfacts = [\"sale\"]",
        "load the policy:\n  policy, line 3: basis.ca_sale has no max_age although implied consent ends (CASL s. \
         10); write for example max_age = \"P730D\"\n  built-in policy.toml (override it in your policy), line 63: \
         time.tombstone_retention ends although a permission can live for ever (basis.ca_sale.max_age is not set): \
         an old list could bring people back who are protected now; write \"indefinite\", or limit permissions",
    ),
    // default need below three
    (
        "[level.need]\ndefault = 2",
        "load the policy: policy, line 4: level.need.default is below 3 although consent is the basis; write \
         default = 3 or more",
    ),
    // need below three by a rule
    (
        "[level.need]\nrules = [{ country = [\"US\"], channel = [\"email\"], level = 0 }]",
        "load the policy: policy, line 4: level.need.rules[0].level is below 3, but for `marketing` by `email` \
         consent is the basis; write level = 3 or more, or cover it by a rule of the basis opt_out_regime that has \
         facts = [\"address_held\"] and no dates",
    ),
    // need below three, one purpose not covered
    (
        "[level.need]\nrules = [{ country = [\"US\"], channel = [\"email\"], level = 0 }]\n[[basis]]\nid = \
         \"us_can_spam\"\ncountry = [\"US\"]\nchannel = [\"email\"]\npurpose = [\"marketing\", \"newsletter\", \
         \"promotions\"]\nbasis = \"opt_out_regime\"\nfacts = [\"address_held\"]",
        "load the policy: policy, line 4: level.need.rules[0].level is below 3, but for `partners` by `email` \
         consent is the basis; write level = 3 or more, or cover it by a rule of the basis opt_out_regime that has \
         facts = [\"address_held\"] and no dates",
    ),
    // need below three, covered for a time only
    (
        "[level.need]\nrules = [{ country = [\"US\"], channel = [\"email\"], level = 0 }]\n[[basis]]\nid = \
         \"us_can_spam\"\ncountry = [\"US\"]\nchannel = [\"email\"]\npurpose = [\"marketing\", \"newsletter\", \
         \"promotions\", \"partners\"]\nbasis = \"opt_out_regime\"\nfacts = [\"address_held\"]\nuntil = \
         \"2027-01-01T00:00:00Z\"",
        "load the policy: policy, line 4: level.need.rules[0].level is below 3, but for `marketing` by `email` \
         consent is the basis; write level = 3 or more, or cover it by a rule of the basis opt_out_regime that has \
         facts = [\"address_held\"] and no dates",
    ),
    // a rule without facts
    (
        "[[basis]]\nid = \"letters\"\nchannel = [\"postal\"]\npurpose = [\"newsletter\"]\nbasis = \
         \"legitimate_interest\"",
        "load the policy: policy, line 3: basis.letters.facts is empty or missing, and a basis without facts is \
         none; write what must be proven, or facts = [\"address_held\"] where holding the address is enough",
    ),
    // a rule with empty facts
    (
        "[[basis]]\nid = \"fr_postal_li\"\nfacts = []",
        "load the policy: policy, line 5: basis.fr_postal_li.facts is empty or missing, and a basis without facts \
         is none; write what must be proven, or facts = [\"address_held\"] where holding the address is enough",
    ),
    // a rule with an unknown fact
    (
        "[[basis]]\nid = \"fr_postal_li\"\nfacts = [\"adress_held\"]",
        "load the policy: policy, line 5: basis.fr_postal_li.facts[0] is not a fact; did you mean `address_held`? \
         known are sale, inquiry, contract, contract_end, active, opt_out_offered, similar, professional, \
         address_held",
    ),
    // a soft opt-in without an opt-out
    (
        "[[basis]]\nid = \"fr_soft_optin\"\nfacts = [\"sale\", \"similar\"]",
        "load the policy: policy, line 5: basis.fr_soft_optin.facts is too little for the basis soft_opt_in; write \
         facts = [\"sale\", \"opt_out_offered\", \"similar\"]",
    ),
    // a condition without a relation
    (
        "[[basis]]\nid = \"fr_postal_li\"\nfacts = [\"similar\"]",
        "load the policy: policy, line 5: basis.fr_postal_li.facts has \"similar\" but no relation that it could be \
         true of; add one such as \"sale\"",
    ),
    // an age without a relation
    (
        "[[basis]]\nid = \"fr_postal_li\"\nmax_age = \"P1Y\"",
        "load the policy: policy, line 5: basis.fr_postal_li.max_age limits nothing: no fact of the rule has a \
         date; add a relation such as \"sale\"",
    ),
    // marketing on a contract
    (
        "[[basis]]\nid = \"order_service\"\npurpose = [\"order_service\", \"newsletter\"]",
        "load the policy: policy, line 5: basis.order_service.purpose[1] names `newsletter`, which is marketing and \
         never rests on the basis contract; name a service purpose",
    ),
    // a rule without an id
    (
        "[[basis]]\nchannel = [\"email\"]",
        "load the policy: policy, line 3: basis[0] has no id; write for example id = \"fr_soft_optin\"",
    ),
    // an id twice
    (
        "[[basis]]\nid = \"a\"\n[[basis]]\nid = \"a\"",
        "load the policy: policy, line 6: basis[1].id is the id of another rule of this file; give each its own",
    ),
    // a misspelt id makes a new rule, which is not whole
    (
        "[[basis]]\nid = \"fr_soft_optim\"\nmax_age = \"P24M\"",
        "load the policy: policy, line 3: basis.fr_soft_optim lacks `channel`; write for example channel = \
         [\"email\"]",
    ),
    // basis as a table
    (
        "[basis]\nid = \"fr_soft_optin\"",
        "load the policy: policy, line 3: basis is no list of rules; write [[basis]] above each rule",
    ),
    // taking away a rule that is not there
    (
        "without_basis = [\"fr_b2b\"]",
        "load the policy: policy, line 3: without_basis[0] is no basis rule; did you mean `fr_b2b_li`? known are \
         order_service, fr_soft_optin, fr_b2b_li, fr_postal_li, fr_phone_old, fr_phone_contract",
    ),
    // unknown purpose in a rule
    (
        "[[basis]]\nid = \"fr_b2b_li\"\npurpose = [\"newsleter\"]",
        "load the policy: policy, line 5: basis.fr_b2b_li.purpose[0] names `newsleter`, which is no purpose; did \
         you mean `newsletter`? known are marketing, newsletter, order_service, partners, promotions",
    ),
    // unknown channel in a rule
    (
        "[[basis]]\nid = \"fr_b2b_li\"\nchannel = [\"mail\"]",
        "load the policy: policy, line 5: basis.fr_b2b_li.channel[0] is not a channel; did you mean `email`? known \
         are email, email_tracking, sms, phone_live, phone_auto, postal, push, messaging, ads",
    ),
    // unknown basis
    (
        "[[basis]]\nid = \"fr_b2b_li\"\nbasis = \"legitimate_interests\"",
        "load the policy: policy, line 5: basis.fr_b2b_li.basis is not a legal basis; did you mean \
         `legitimate_interest`? known are soft_opt_in, legitimate_interest, contract, contract_in_progress, \
         legal_obligation, implied_consent, opt_out_regime",
    ),
    // unknown country in a rule
    (
        "[[basis]]\nid = \"fr_b2b_li\"\ncountry = [\"FR\", \"XX\"]",
        "load the policy: policy, line 5: basis.fr_b2b_li.country[1] is not the code of a country; write two \
         letters of ISO 3166-1 such as \"FR\"",
    ),
    // unknown audience
    (
        "[[basis]]\nid = \"fr_b2b_li\"\naudience = [\"b2g\"]",
        "load the policy: policy, line 5: basis.fr_b2b_li.audience[0] is not an audience; did you mean `b2c`? known \
         are b2c, b2b",
    ),
    // unknown parent
    (
        "[purposes.events]\nfamily = \"marketing\"\nparent = \"marketting\"",
        "load the policy: policy, line 5: purposes.events.parent names `marketting`, which is no purpose; did you \
         mean `marketing`? known are events, marketing, newsletter, order_service, partners, promotions",
    ),
    // parent of the other family
    (
        "[purposes.events]\nfamily = \"service\"\nparent = \"marketing\"",
        "load the policy: policy, line 5: purposes.events.parent names `marketing`, which is of the other family; a \
         purpose and its parent must agree",
    ),
    // a circle of parents
    (
        "[purposes.a]\nfamily = \"marketing\"\nparent = \"b\"\n[purposes.b]\nfamily = \"marketing\"\nparent = \"a\"",
        "load the policy: policy, line 5: purposes.a.parent makes the purpose a part of itself; take one parent of \
         the circle away",
    ),
    // a purpose that is its own parent
    (
        "[purposes.a]\nfamily = \"marketing\"\nparent = \"a\"",
        "load the policy: policy, line 5: purposes.a.parent makes the purpose a part of itself; take one parent of \
         the circle away",
    ),
    // family unknown
    (
        "[purposes.a]\nfamily = \"dm\"",
        "load the policy: policy, line 4: purposes.a.family is not a family of purposes; known are marketing, service",
    ),
    // lineage to nowhere
    (
        "[lineage]\nold_news = [\"newsletter\", \"magazine\"]",
        "load the policy: policy, line 4: lineage.old_news[1] names `magazine`, which is no purpose; known are \
         marketing, newsletter, order_service, partners, promotions",
    ),
    // regrant below the table
    (
        "[level.regrant]\nwithdraw = 2\ncomplaint = 3",
        "load the policy:\n  policy, line 4: level.regrant.withdraw is below 3, the least that this profile takes; \
         write withdraw = 3 or more\n  policy, line 5: level.regrant.complaint is below 4, the least that this \
         profile takes; write complaint = 4 or more",
    ),
    // negative duration
    (
        "[time]\ninactivity_max = \"-P36M\"",
        "load the policy: policy, line 4: time.inactivity_max is negative; write an ISO 8601 duration such as \
         \"P36M\" (months), \"P7D\" (days) or \"PT4H\" (hours), or \"none\"",
    ),
    // no duration
    (
        "[time]\ndoi_pending_ttl = \"7 days\"",
        "load the policy: policy, line 4: time.doi_pending_ttl is no duration; write an ISO 8601 duration such as \
         \"P36M\" (months), \"P7D\" (days) or \"PT4H\" (hours), or \"none\"",
    ),
    // endless duration
    (
        "[time]\nproof_retention = \"P900Y\"",
        "load the policy: policy, line 4: time.proof_retention is longer than a century; write an ISO 8601 duration \
         such as \"P36M\" (months), \"P7D\" (days) or \"PT4H\" (hours)",
    ),
    // zero duration
    (
        "[time]\ndoi_pending_ttl = \"P0D\"",
        "load the policy: policy, line 4: time.doi_pending_ttl is no time at all; write a longer duration",
    ),
    // date without zone
    (
        "[campaign]\ndeadline = \"2026-10-31T23:00:00\"",
        "load the policy: policy, line 4: campaign.deadline has no time zone; write for example \
         \"2026-10-31T23:00:00Z\" or \"2026-08-11T00:00:00+02:00\"",
    ),
    // native date without zone
    (
        "[campaign]\ndeadline = 2026-10-31",
        "load the policy: policy, line 4: campaign.deadline has no time zone; write for example \
         \"2026-10-31T23:00:00Z\" or \"2026-08-11T00:00:00+02:00\"",
    ),
    // no date
    (
        "[campaign]\ndeadline = \"soon\"",
        "load the policy: policy, line 4: campaign.deadline is no date and time with a zone; write for example \
         \"2026-10-31T23:00:00Z\" or \"2026-08-11T00:00:00+02:00\"",
    ),
    // until before from
    (
        "[[basis]]\nid = \"fr_phone_old\"\nfrom = \"2027-01-01T00:00:00Z\"",
        "load the policy: built-in policy.toml (override it in your policy), line 215: basis.fr_phone_old.until is \
         not after `from`, so the rule would never hold; put them in order",
    ),
    // alarm after the limit
    (
        "[time]\nnegative_sla_alarm = \"PT25H\"",
        "load the policy: policy, line 4: time.negative_sla_alarm is not shorter than negative_sla_hard; an alarm \
         must come first",
    ),
    // limit too late
    (
        "[time]\nnegative_sla_hard = \"P3D\"",
        "load the policy: policy, line 4: time.negative_sla_hard is longer than \"PT48H\"; write that or less",
    ),
    // age of a child
    (
        "[minor_age.country]\nFR = 12\nZZ = 15",
        "load the policy:\n  policy, line 4: minor_age.country.FR is no age of digital consent; write a number from \
         13 to 21\n  policy, line 5: minor_age.country.ZZ is not the code of a country; write two letters of ISO \
         3166-1 such as \"FR\"",
    ),
    // role with an at sign
    (
        "[identity]\nrole_accounts = [\"info@example.org\"]",
        "load the policy: policy, line 4: identity.role_accounts[0] is no role; write what stands before the @, \
         such as \"info\"",
    ),
    // alias unknown
    (
        "[identity]\nsuppression_alias = [\"dots\"]",
        "load the policy: policy, line 4: identity.suppression_alias[0] is not a widening of suppression; known are \
         plus, gmail_dots",
    ),
    // span longer than window
    (
        "[reachability]\nsoft_window = \"P5D\"\nsoft_bounces = 0",
        "load the policy:\n  policy, line 5: reachability.soft_bounces is zero; write 1 or more\n  built-in \
         policy.toml (override it in your policy), line 121: reachability.soft_span is longer than soft_window, so \
         no address could ever reach it; shorten it",
    ),
    // propagate unknown
    (
        "[scope]\npropagate = \"person\"",
        "load the policy: policy, line 4: scope.propagate is not a reach of refusals; known are subject, address",
    ),
    // level as text
    (
        "[level.need]\ndefault = \"3\"",
        "load the policy: policy, line 4: level.need.default needs a whole number from zero up, not text; write for \
         example default = 3",
    ),
    // rule as text
    ("[level.need]\nrules = [\"DE\"]", "load the policy: policy, line 4: level.need.rules[0] needs a table, not text"),
    // unknown key in a need rule
    (
        "[level.need]\nrules = [{ role_account = true, level = 4 }]",
        "load the policy: policy, line 4: level.need.rules[0].role_account is no key of this table; known are \
         country, channel, audience, level",
    ),
    // hold without a provision
    (
        "[[hold]]\nname = \"invoices\"\nsystem = \"billing\"\nfields = [\"invoice\"]\nground = \
         \"legal_obligation\"\nkeeps_for = \"P10Y\"\napplies = \"always\"",
        "load the policy: policy, line 3: hold[0] lacks `provision`; write for example provision = \"C. com. \
         L123-22\"",
    ),
    // hold on a ground that is none
    (
        "[[hold]]\nname = \"invoices\"\nsystem = \"billing\"\nfields = [\"invoice\"]\nground = \
         \"legal_obligations\"\nprovision = \"C. com. L123-22\"\nkeeps_for = \"P10Y\"\napplies = \
         \"always\"",
        "load the policy: policy, line 7: hold[0].ground is not a ground to keep data; did you mean \
         `legal_obligation`? known are legal_obligation, legal_claims, contract",
    ),
    // hold for no time
    (
        "[[hold]]\nname = \"invoices\"\nsystem = \"billing\"\nfields = [\"invoice\"]\nground = \
         \"legal_obligation\"\nprovision = \"C. com. L123-22\"\nkeeps_for = \"P0D\"\napplies = \
         \"always\"",
        "load the policy: policy, line 9: hold[0].keeps_for is no time at all; write for example \"P10Y\", or \
         take the hold out",
    ),
    // hold that keeps nothing
    (
        "[[hold]]\nname = \"invoices\"\nsystem = \"billing\"\nfields = []\nground = \
         \"legal_obligation\"\nprovision = \"C. com. L123-22\"\nkeeps_for = \"P10Y\"\napplies = \
         \"always\"",
        "load the policy: policy, line 6: hold[0].fields keeps nothing; name what stays, for example fields = \
         [\"invoice\"]",
    ),
    // hold with a key that is not known
    (
        "[[hold]]\nname = \"invoices\"\nsystem = \"billing\"\nfields = [\"invoice\"]\nground = \
         \"legal_obligation\"\nprovision = \"C. com. L123-22\"\nkeeps_for = \"P10Y\"\napplies = \
         \"always\"\nuntil = \"2030-01-01\"",
        "load the policy: policy, line 11: hold[0].until is no key of this table; known are name, system, fields, \
         ground, provision, keeps_for, applies",
    ),
    // hold that applies some day
    (
        "[[hold]]\nname = \"invoices\"\nsystem = \"billing\"\nfields = [\"invoice\"]\nground = \
         \"legal_obligation\"\nprovision = \"C. com. L123-22\"\nkeeps_for = \"P10Y\"\napplies = \
         \"allways\"",
        "load the policy: policy, line 10: hold[0].applies is not a time when a hold applies; did you mean \
         `always`? known are always, on_request",
    ),
    // hold with an empty provision
    (
        "[[hold]]\nname = \"invoices\"\nsystem = \"billing\"\nfields = [\"invoice\"]\nground = \
         \"legal_obligation\"\nprovision = \" \"\nkeeps_for = \"P10Y\"\napplies = \"always\"",
        "load the policy: policy, line 8: hold[0].provision says nothing; write what the person should read, such \
         as \"C. com. L123-22\"",
    ),
    // two holds of one name
    (
        "[[hold]]\nname = \"invoices\"\nsystem = \"billing\"\nfields = [\"invoice\"]\nground = \
         \"legal_obligation\"\nprovision = \"C. com. L123-22\"\nkeeps_for = \"P10Y\"\napplies = \
         \"always\"\n[[hold]]\nname = \"invoices\"\nsystem = \"billing\"\nfields = [\"invoice\"]\nground \
         = \"legal_obligation\"\nprovision = \"C. com. L123-22\"\nkeeps_for = \"P10Y\"\napplies = \
         \"always\"",
        "load the policy: policy, line 12: hold[1].name is `invoices`, the name of another hold; give each its \
         own",
    ),
    // holds as a table
    (
        "[hold]\nname = \"invoices\"",
        "load the policy: policy, line 3: hold needs a list, not a table; write for example [[hold]]",
    ),
];

#[test]
fn every_mistake_is_named_with_its_place_and_the_way_to_write_it_right() {
    for (text, expected) in NAMELESS {
        assert_eq!(parse_policy(text).expect_err(text).to_string(), *expected, "{text}");
    }
    for (text, expected) in MISTAKES {
        assert_eq!(over(text).expect_err(text).to_string(), *expected, "{text}");
    }
}

/// So many lines, each with its number in place of `#`.
fn lines(count: usize, line: &str) -> String {
    (0..count).map(|number| line.replace('#', &number.to_string())).collect()
}

#[test]
fn a_policy_that_is_all_mistakes_is_refused_with_as_many_as_anybody_reads() {
    for text in [
        format!("[lineage]\n{}", lines(20_000, "old# = [\"nobody#\"]\n")),
        format!("[time]\n{}", lines(20_000, "nothing# = 1\n")),
        lines(15_000, "[purposes.p#]\nfamily = \"marketing\"\nparent = \"x#\"\n"),
        format!("[purposes]\n{}", lines(15_000, "p# = { family = \"marketing\", parent = \"p#\" }\n")),
        lines(10_000, "[[level.need.rules]]\nlevel = 1\n"),
        lines(10_000, "[[basis]]\nid = \"r#\"\n"),
        lines(10_000, "[[hold]]\nname = \"h#\"\n"),
    ] {
        let error = over(&text).unwrap_err();
        assert!((1..=101).contains(&error.defects().len()), "{} defects", error.defects().len());
        assert!(error.to_string().len() < 100_000, "{} bytes", error.to_string().len());
    }
}
