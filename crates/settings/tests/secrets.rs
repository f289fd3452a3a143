//! Secrets come from where they are said to be, and are shown nowhere.

use std::path::Path;

use secrecy::ExposeSecret as _;
use unisson_settings::{SecretError, SecretSource};

fn source(folder: &Path) -> SecretSource {
    SecretSource::new(folder, |name| match name {
        "API_KEY" => Some("k-1\n".into()),
        "EMPTY" => Some("".into()),
        _ => None,
    })
}

fn write(folder: &Path, name: &str, content: impl AsRef<[u8]>) {
    std::fs::write(folder.join(name), content).expect("a temporary folder can be written");
}

#[test]
fn a_variable_is_taken_as_it_is() {
    let secret = source(Path::new(".")).resolve_env("API_KEY").unwrap();
    assert_eq!(secret.expose_secret(), "k-1\n");
}

#[test]
fn a_variable_that_is_not_set_is_named() {
    let error = source(Path::new(".")).resolve_env("MAILCHIMP_API_KEY").unwrap_err();
    assert_eq!(
        error.to_string(),
        "read a secret: environment variable MAILCHIMP_API_KEY is not set; set it for this program, or use { file = ... }"
    );
    let error = source(Path::new(".")).resolve_env("EMPTY").unwrap_err();
    assert_eq!(error.to_string(), "read a secret: environment variable EMPTY is empty; put the secret there");
}

#[test]
fn a_secret_where_its_name_belongs_is_not_repeated() {
    let source = source(Path::new("."));
    for pasted in [
        "0123456789abcdef0123456789abcdef-us21",
        "0123456789abcdef",
        "abcdef0123456789",
        "pat-eu1-1",
        "",
        "a b",
        "SG.abc",
        "é",
    ] {
        let error = source.resolve_env(pasted).unwrap_err();
        assert!(pasted.is_empty() || !format!("{error} {error:?}").contains(pasted), "{error:?}");
    }
    assert!(matches!(source.resolve_env("abc-us21"), Err(SecretError::Name)));
}

#[test]
fn a_file_loses_one_line_break_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    for (content, expected) in [
        ("token", "token"),
        ("token\n", "token"),
        ("token\r\n", "token"),
        ("token\n\n", "token\n"),
        (" token \n", " token "),
        ("two\nlines\n", "two\nlines"),
    ] {
        write(folder.path(), "mailchimp", content);
        let secret = source(folder.path()).resolve_file("mailchimp").unwrap();
        assert_eq!(secret.value.expose_secret(), expected);
        assert!(!format!("{secret:?}").contains("token"), "Debug shows no value");
    }
}

#[test]
fn a_file_that_cannot_hold_a_secret_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "empty", "\n");
    write(folder.path(), "binary", [0xff, 0xfe]);
    write(folder.path(), "long", vec![b'x'; 64 * 1024 + 1]);
    write(folder.path(), "just", vec![b'x'; 64 * 1024]);
    let source = source(folder.path());
    assert!(matches!(source.resolve_file("nowhere"), Err(SecretError::File { .. })));
    assert!(matches!(source.resolve_file("empty"), Err(SecretError::Empty { .. })));
    assert!(matches!(source.resolve_file("binary"), Err(SecretError::NotText { .. })));
    assert!(matches!(source.resolve_file("long"), Err(SecretError::TooLong { .. })));
    assert!(matches!(source.resolve_file("."), Err(SecretError::NoFile { .. })));
    assert!(source.resolve_file("just").is_ok());
}

#[test]
fn an_absolute_path_stays_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "token", "t");
    let secret = source(Path::new("/nowhere")).resolve_file(folder.path().join("token")).unwrap();
    assert_eq!(secret.value.expose_secret(), "t");
}

#[cfg(unix)]
#[test]
fn a_file_that_others_can_read_is_pointed_out() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "token", "t");
    for (mode, exposed) in [(0o600, false), (0o400, false), (0o640, true), (0o604, true), (0o644, true)] {
        let path = folder.path().join("token");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let secret = source(folder.path()).resolve_file("token").unwrap();
        assert_eq!(secret.exposed.as_ref().map(|warning| warning.mode), exposed.then_some(mode));
        if let Some(warning) = secret.exposed {
            let path = path.display();
            let expected =
                format!("other accounts can read the secret file {path} (mode {mode:03o}); run: chmod 600 {path}");
            assert_eq!(warning.to_string(), expected);
        }
    }
}
