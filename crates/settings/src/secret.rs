//! Secrets by reference: the settings name a variable or a file, and here the value is fetched.
//!
//! Values are [`SecretString`], which no `Debug` prints. No error and no warning holds a value, and a name that looks
//! like one is not repeated either: people do paste the key itself where its name belongs.

use std::ffi::OsString;
use std::fmt;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use secrecy::SecretString;

/// The longest secret that is read from a file, in bytes. A service account's key file takes a twentieth of it.
const SECRET_BYTES_MAX: usize = 64 * 1024;

/// The longest name of a variable, in bytes.
const VARIABLE_BYTES_MAX: usize = 128;

/// Why a secret could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// The reference names no variable.
    #[error("read a secret: {{ env = ... }} holds no name of a variable; write the name, never the secret itself")]
    Name,
    /// The variable is not set.
    #[error("read a secret: environment variable {name} is not set; set it for this program, or use {{ file = ... }}")]
    Unset {
        /// The variable.
        name: String,
    },
    /// The variable or the file holds nothing.
    #[error("read a secret: {place} is empty; put the secret there")]
    Empty {
        /// Where it should be.
        place: String,
    },
    /// What was found is no UTF-8 text.
    #[error("read a secret: {place} is not UTF-8 text; secrets in another form must be encoded, in base64 for example")]
    NotText {
        /// Where it was found.
        place: String,
    },
    /// The file cannot be read.
    #[error("read a secret: file {} cannot be read; check its path and whether this program may read it", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system answered.
        #[source]
        source: io::Error,
    },
    /// The path leads to something that is no file.
    #[error("read a secret: {} is no regular file; name a file that holds nothing but the secret", path.display())]
    NoFile {
        /// The path.
        path: PathBuf,
    },
    /// The file is too long to be a secret.
    #[error("read a secret: file {} is longer than {SECRET_BYTES_MAX} bytes; name a file that holds nothing but the secret", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
    },
}

/// A secret that other accounts of the machine can read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exposed {
    /// The file.
    pub path: PathBuf,
    /// Its permission bits.
    pub mode: u32,
}

impl fmt::Display for Exposed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, mode } = self;
        let path = path.display();
        write!(f, "other accounts can read the secret file {path} (mode {mode:03o}); run: chmod 600 {path}")
    }
}

/// Where a key of the installation is. Never the key itself.
#[derive(Clone, PartialEq, Eq)]
pub enum KeyRef {
    /// In this environment variable: `{ env = "NAME" }`.
    Env(String),
    /// In this file: `{ file = "PATH" }`. A relative path starts in the folder of the settings file.
    File(PathBuf),
}

impl fmt::Debug for KeyRef {
    /// A name that may be a pasted key is not shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "Env({})", shown(name)),
            Self::File(path) => write!(f, "File({})", path.display()),
        }
    }
}

/// A secret from a file.
#[derive(Debug, Clone)]
pub struct FileSecret {
    /// The secret, without the line break at its end.
    pub value: SecretString,
    /// Who else can read it. Checked on Unix only.
    pub exposed: Option<Exposed>,
}

/// Finds the value of a variable by its name.
type Lookup = dyn Fn(&str) -> Option<OsString> + Send + Sync;

/// Fetches secrets: from the environment it was given, and from files.
pub struct SecretSource {
    folder: PathBuf,
    lookup: Box<Lookup>,
}

impl fmt::Debug for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretSource").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl SecretSource {
    /// A source whose relative paths start in `folder` and whose variables come from `lookup`.
    ///
    /// ```
    /// use secrecy::ExposeSecret;
    /// use unisson_settings::SecretSource;
    /// let source = SecretSource::new(".", |name| (name == "API_KEY").then(|| "k-1".into()));
    /// assert_eq!(source.resolve_env("API_KEY").unwrap().expose_secret(), "k-1");
    /// assert!(source.resolve_env("OTHER").is_err());
    /// ```
    pub fn new(folder: impl Into<PathBuf>, lookup: impl Fn(&str) -> Option<OsString> + Send + Sync + 'static) -> Self {
        Self { folder: folder.into(), lookup: Box::new(lookup) }
    }

    /// A source over the variables of this process.
    pub fn of_process(folder: impl Into<PathBuf>) -> Self {
        Self::new(folder, |name| std::env::var_os(name))
    }

    /// The secret that a reference names. What a variable holds is exposed to nobody.
    pub fn resolve(&self, key: &KeyRef) -> Result<FileSecret, SecretError> {
        match key {
            KeyRef::Env(name) => Ok(FileSecret { value: self.resolve_env(name)?, exposed: None }),
            KeyRef::File(path) => self.resolve_file(path),
        }
    }

    /// The secret that a variable holds: the value of `{ env = "NAME" }`.
    pub fn resolve_env(&self, name: &str) -> Result<SecretString, SecretError> {
        if !is_variable(name) {
            return Err(SecretError::Name);
        }
        let place = format!("environment variable {}", shown(name));
        let Some(value) = (self.lookup)(name) else { return Err(SecretError::Unset { name: shown(name).to_owned() }) };
        let Ok(value) = value.into_string() else { return Err(SecretError::NotText { place }) };
        if value.is_empty() { Err(SecretError::Empty { place }) } else { Ok(SecretString::from(value)) }
    }

    /// The secret that a file holds: the value of `{ file = "PATH" }`. One line break at its end is not part of it.
    pub fn resolve_file(&self, path: impl AsRef<Path>) -> Result<FileSecret, SecretError> {
        let path = self.folder.join(path);
        let failed = |source| SecretError::File { path: path.clone(), source };
        // Looked at before it is opened: opening a pipe nobody writes to would wait for ever.
        if !std::fs::metadata(&path).map_err(failed)?.is_file() {
            return Err(SecretError::NoFile { path });
        }
        let file = std::fs::File::open(&path).map_err(failed)?;
        let exposed = exposed(&path, &file.metadata().map_err(failed)?);
        let mut bytes = Vec::new();
        file.take(SECRET_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() > SECRET_BYTES_MAX {
            return Err(SecretError::TooLong { path });
        }
        let place = format!("file {}", path.display());
        let Ok(text) = String::from_utf8(bytes) else { return Err(SecretError::NotText { place }) };
        let line = text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
        if line.is_empty() {
            return Err(SecretError::Empty { place });
        }
        Ok(FileSecret { value: SecretString::from(line), exposed })
    }
}

/// Whether text can be the name of a variable (POSIX, chapter 8).
fn is_variable(name: &str) -> bool {
    let start = name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    start && name.len() <= VARIABLE_BYTES_MAX && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// The name, if it looks like one rather than like a key: keys have small letters, names of variables hardly ever.
fn shown(name: &str) -> &str {
    if name.bytes().any(|b| b.is_ascii_lowercase()) { "(name not shown: it may be a secret)" } else { name }
}

#[cfg(unix)]
fn exposed(path: &Path, metadata: &std::fs::Metadata) -> Option<Exposed> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = metadata.permissions().mode() & 0o777;
    (mode & 0o044 != 0).then(|| Exposed { path: path.to_owned(), mode })
}

#[cfg(not(unix))]
fn exposed(_: &Path, _: &std::fs::Metadata) -> Option<Exposed> {
    None
}
