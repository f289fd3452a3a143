//! How each mistake in settings is named.

use unisson_settings::Settings;

/// What is wrong in one line or two, and what is said of it.
const MISTAKES: &[(&str, &str)] = &[
    // misspelt section
    (
        "[gaurd]\ncount = 5",
        "load the settings: unisson.toml, line 1: gaurd is no key of this table; did you mean `guard`? known are \
         store, policy, guard, sync, controller, erasure, instances",
    ),
    // misspelt key
    (
        "[guard]\ncuont = 5",
        "load the settings: unisson.toml, line 2: guard.cuont is no key of this table; did you mean `count`? known \
         are count, share",
    ),
    // unknown key like nothing
    (
        "[store]\npassphrase = \"x\"",
        "load the settings: unisson.toml, line 2: store.passphrase is no key of this table; known is url",
    ),
    // two unknown keys at once
    (
        "colour = 1\n[sync]\ncomit_size = 5",
        "load the settings:\n  unisson.toml, line 1: colour is no key of this table; known are store, policy, \
         guard, sync, controller, erasure, instances\n  unisson.toml, line 3: sync.comit_size is no key of this table; did you mean \
         `commit_size`? known are commit_size, sweep_every, lease",
    ),
    // text for a number
    (
        "[guard]\ncount = \"many\"",
        "load the settings: unisson.toml, line 2: guard.count needs a whole number from zero up, not text; write \
         for example count = 100",
    ),
    // negative count
    (
        "[guard]\ncount = -1",
        "load the settings: unisson.toml, line 2: guard.count needs a whole number from zero up, not a negative \
         number; write for example count = 100",
    ),
    // share over one
    (
        "[guard]\nshare = 5",
        "load the settings: unisson.toml, line 2: guard.share is no share; write a number from 0 to 1 such as share \
         = 0.05",
    ),
    // share as text
    (
        "[guard]\nshare = \"5%\"",
        "load the settings: unisson.toml, line 2: guard.share needs a number, not text; write for example share = \
         0.05",
    ),
    // guard as a number
    (
        "guard = 5",
        "load the settings: unisson.toml, line 1: guard needs a table, not a whole number; write for example [guard]",
    ),
    // commit size zero
    (
        "[sync]\ncommit_size = 0",
        "load the settings: unisson.toml, line 2: sync.commit_size is out of bounds; write a number from 1 to 10000",
    ),
    // sweep too rare
    (
        "[sync]\nsweep_every = \"P2Y\"",
        "load the settings: unisson.toml, line 2: sync.sweep_every is out of bounds; write a duration from PT1H to \
         P31D",
    ),
    // sweep not a duration
    (
        "[sync]\nsweep_every = \"weekly\"",
        "load the settings: unisson.toml, line 2: sync.sweep_every is no duration; write an ISO 8601 duration such \
         as \"P36M\" (months), \"P7D\" (days) or \"PT4H\" (hours)",
    ),
    // lease negative
    (
        "[sync]\nlease = \"-PT2M\"",
        "load the settings: unisson.toml, line 2: sync.lease is negative; write an ISO 8601 duration such as \
         \"P36M\" (months), \"P7D\" (days) or \"PT4H\" (hours)",
    ),
    // lease a number
    (
        "[sync]\nlease = 120",
        "load the settings: unisson.toml, line 2: sync.lease needs an ISO 8601 duration in quotes, not a whole \
         number; write for example lease = \"PT2M\"",
    ),
    // store of another kind
    (
        "[store]\nurl = \"postgres://user:hunter2@db/unisson\"",
        "load the settings: unisson.toml, line 2: store.url is no store that is known here; write sqlite: and the \
         path of a file, such as \"sqlite:unisson.db\"",
    ),
    // store in memory
    (
        "[store]\nurl = \"sqlite::memory:\"",
        "load the settings: unisson.toml, line 2: store.url names no file, and suppressions must outlive the \
         program; write sqlite: and the path of a file, such as \"sqlite:unisson.db\"",
    ),
    // instance without connector
    (
        "[instances.news]\nenforce = \"full\"",
        "load the settings: unisson.toml, line 1: instances.news lacks `connector`; write for example connector = \
         \"mailchimp\"",
    ),
    // instance with misspelt connector
    (
        "[instances.news]\nconector = \"mailchimp\"",
        "load the settings: unisson.toml, line 1: instances.news lacks `connector`; did you mean it by `conector`?",
    ),
    // enforce misspelt
    (
        "[instances.news]\nconnector = \"mailchimp\"\nenforce = \"negative\"",
        "load the settings: unisson.toml, line 3: instances.news.enforce is not a way to enforce; did you mean \
         `negatives`? known are observe, negatives, full",
    ),
    // enforce like nothing
    (
        "[instances.news]\nconnector = \"mailchimp\"\nenforce = \"yes please\"",
        "load the settings: unisson.toml, line 3: instances.news.enforce is not a way to enforce; known are \
         observe, negatives, full",
    ),
    // clock unknown
    (
        "[instances.news]\nconnector = \"mailchimp\"\nclock = \"atomic\"",
        "load the settings: unisson.toml, line 3: instances.news.clock is not a kind of clock; known are host, \
         good, poor, none",
    ),
    // zone misspelt
    (
        "[instances.news]\nconnector = \"mailchimp\"\ntz = \"Europe/Pari\"",
        "load the settings: unisson.toml, line 3: instances.news.tz is no time zone; write a name such as \
         \"Europe/Paris\"",
    ),
    // level too high
    (
        "[instances.news]\nconnector = \"mailchimp\"\nmax_level = 6",
        "load the settings: unisson.toml, line 3: instances.news.max_level is no level of evidence; write a number \
         from 0 (nothing) over 3 (provable) to 5 (signed)",
    ),
    // channel misspelt in a list
    (
        "[instances.news]\nconnector = \"mailchimp\"\nchannels = [\"sms\", \"emial\"]",
        "load the settings: unisson.toml, line 3: instances.news.channels[1] is not a channel; did you mean \
         `email`? known are email, email_tracking, sms, phone_live, phone_auto, postal, push, messaging, ads",
    ),
    // mapping without a purpose
    (
        "[instances.news]\nconnector = \"mailchimp\"\n[instances.news.lists]\n\"a6b5da1054\" = { channel = \
         \"email\" }",
        "load the settings: unisson.toml, line 4: instances.news.lists.a6b5da1054 lacks `purpose`; write for \
         example purpose = \"newsletter\"",
    ),
    // mapping with an unknown key
    (
        "[instances.news]\nconnector = \"mailchimp\"\n[instances.news.lists]\n\"a.b\" = { purpose = \"newsletter\", \
         chanel = \"email\" }",
        "load the settings:\n  unisson.toml, line 4: instances.news.lists.\"a.b\".chanel is no key of this table; \
         did you mean `channel`? known are purpose, channel\n  unisson.toml, line 4: instances.news.lists.\"a.b\" \
         lacks `channel`; write for example channel = \"email\"",
    ),
    // mapping as text
    (
        "[instances.news]\nconnector = \"mailchimp\"\n[instances.news.lists]\n\"a.b\" = \"newsletter\"",
        "load the settings: unisson.toml, line 4: instances.news.lists.\"a.b\" needs a table, not text",
    ),
    // enabled as text
    (
        "[instances.news]\nconnector = \"mailchimp\"\nenabled = \"yes\"",
        "load the settings: unisson.toml, line 3: instances.news.enabled needs true or false, not text; write for \
         example enabled = true",
    ),
    // name with a space
    (
        "[instances.\"the news\"]\nconnector = \"mailchimp\"",
        "load the settings: unisson.toml, line 1: instances.\"the news\" is no name; write up to 64 letters, \
         digits, dots, hyphens and underscores without accents",
    ),
    // controller without a name
    (
        "[controller]\nname = \" \"",
        "load the settings: unisson.toml, line 2: controller.name says nothing; write what people should read",
    ),
    // controller key misspelt
    (
        "[controller]\ncontract = \"privacy@maison.example\"",
        "load the settings: unisson.toml, line 2: controller.contract is no key of this table; did you mean \
         `contact`? known are name, contact",
    ),
    // a key itself where its place belongs
    (
        "[erasure]\nsigning_key = \"hunter2\"",
        "load the settings: unisson.toml, line 2: erasure.signing_key needs a table, not text; write for example \
         signing_key = { file = \"signing.key\" }",
    ),
    // a key in two places
    (
        "[erasure]\nsigning_key = { file = \"a\", env = \"B\" }",
        "load the settings: unisson.toml, line 2: erasure.signing_key needs one place; write { file = \"…\" } or \
         { env = \"…\" }, never the key itself",
    ),
    // a key in a place that is not known
    (
        "[erasure]\nsigning_key = { fil = \"a\" }",
        "load the settings: unisson.toml, line 2: erasure.signing_key.fil is no key of this table; did you mean \
         `file`? known are file, env",
    ),
    // a tombstone key without an id
    (
        "[erasure]\ntombstone_keys = [{ key = { file = \"a\" } }]",
        "load the settings: unisson.toml, line 2: erasure.tombstone_keys[0] lacks `id`; write for example id = 1",
    ),
    // a tombstone key with a key that is not known
    (
        "[erasure]\ntombstone_keys = [{ id = 1, kee = 1, key = { file = \"a\" } }]",
        "load the settings: unisson.toml, line 2: erasure.tombstone_keys[0].kee is no key of this table; did you \
         mean `key`? known are id, key",
    ),
    // an id twice
    (
        "[erasure]\ntombstone_keys = [\n  { id = 1, key = { file = \"a\" } },\n  { id = 1, key = { file \
         = \"b\" } },\n]",
        "load the settings: unisson.toml, line 4: erasure.tombstone_keys[1].id is the id of another key; a \
         tombstone must know its own, so give each key its own id",
    ),
    // erasure zone misspelt
    (
        "[erasure]\nzone = \"Europe/Pari\"",
        "load the settings: unisson.toml, line 2: erasure.zone is no time zone; write a name such as \
         \"Europe/Paris\"",
    ),
    // no day
    (
        "[erasure]\nholidays = [\"2026-12-25\", \"2026-12-32\"]",
        "load the settings: unisson.toml, line 2: erasure.holidays[1] is no day; write for example \"2026-12-25\"",
    ),
    // a day with a time
    (
        "[erasure]\nholidays = [\"2026-12-25T00:00:00\"]",
        "load the settings: unisson.toml, line 2: erasure.holidays[0] is no day; write for example \"2026-12-25\"",
    ),
    // a section that is not known
    (
        "[erasures]\nzone = \"UTC\"",
        "load the settings: unisson.toml, line 1: erasures is no key of this table; did you mean `erasure`? known \
         are store, policy, guard, sync, controller, erasure, instances",
    ),
    // a wait that is no duration
    (
        "[instances.news]\nconnector = \"mailchimp\"\nverify_after = 2",
        "load the settings: unisson.toml, line 3: instances.news.verify_after needs an ISO 8601 duration in \
         quotes, not a whole number; write for example verify_after = \"PT2S\"",
    ),
    // a wait that is too long
    (
        "[instances.news]\nconnector = \"mailchimp\"\nverify_after = \"P30D\"",
        "load the settings: unisson.toml, line 3: instances.news.verify_after is out of bounds; write a duration \
         up to P7D",
    ),
    // a journal without a name
    (
        "[erasure]\njournal = \"\"",
        "load the settings: unisson.toml, line 2: erasure.journal names no file; write for example journal = \
         \"erasures.jsonl\"",
    ),
    // not TOML
    ("[guard]\ncount = = 5", "load the settings: unisson.toml, line 2 is not TOML: extra `=`, expected nothing"),
    // not TOML with a secret on the line
    (
        "[instances.news]\napi_key = \"sk-live-hunter2\" oops",
        "load the settings: unisson.toml, line 2 is not TOML: unexpected key or value, expected newline, `#`",
    ),
    // key twice
    ("[guard]\ncount = 1\ncount = 2", "load the settings: unisson.toml, line 3 is not TOML: duplicate key"),
];

#[test]
fn every_mistake_is_named_with_its_place_and_the_way_to_write_it_right() {
    for (text, expected) in MISTAKES {
        let error = Settings::parse(text, [].into_iter(), "/etc/unisson").expect_err(text);
        assert_eq!(error.to_string(), *expected, "{text}");
    }
}
