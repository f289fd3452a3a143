//! How a connector proves who it is. Credentials are held as secrets and never shown.

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use unisson_connector::{Error, ErrorKind, Result};
use url::Url;

use crate::fingerprint::Fingerprint;
use crate::token::TokenStore;

/// The credentials of a link.
pub enum Auth {
    /// None: the interface is open, or the address itself is the secret.
    None,
    /// `Authorization: Bearer …` (RFC 6750).
    Bearer(SecretString),
    /// `Authorization: Basic …` (RFC 7617).
    Basic {
        /// The user name.
        user: String,
        /// The password or key.
        password: SecretString,
    },
    /// A header of the vendor's own.
    Header {
        /// Its name.
        name: HeaderName,
        /// Its value.
        value: SecretString,
    },
    /// An access token that is renewed with a refresh token (RFC 6749, 6).
    OAuth2(OAuth2),
}

/// Shows only which sort it is: even a user name may be a person's address.
impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Bearer(_) => "Bearer",
            Self::Basic { .. } => "Basic",
            Self::Header { .. } => "Header",
            Self::OAuth2(_) => "OAuth2",
        })
    }
}

/// What an access token is renewed with.
pub struct OAuth2 {
    /// Where tokens are given.
    pub token_url: Url,
    /// The application's id.
    pub client_id: String,
    /// The application's secret.
    pub client_secret: SecretString,
    /// The refresh token as configured. Once it was rotated, the stored one counts instead.
    pub refresh_token: SecretString,
    /// Whose token it is: the key in the store.
    pub instance: String,
    /// Where a rotated token is kept.
    pub tokens: Arc<dyn TokenStore>,
}

impl fmt::Debug for OAuth2 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuth2").field("instance", &self.instance).finish_non_exhaustive()
    }
}

impl Auth {
    /// The header that a fixed credential is sent in; `None` where there is none to send, or only a renewed one.
    pub(crate) fn header(&self) -> Result<Option<(HeaderName, HeaderValue)>> {
        let (name, text) = match self {
            Self::None | Self::OAuth2(_) => return Ok(None),
            Self::Bearer(token) => (AUTHORIZATION, SecretString::from(format!("Bearer {}", token.expose_secret()))),
            Self::Basic { user, password } => {
                let pair = SecretString::from(format!("{user}:{}", password.expose_secret()));
                (AUTHORIZATION, SecretString::from(format!("Basic {}", STANDARD.encode(pair.expose_secret()))))
            }
            Self::Header { name, value } => (name.clone(), value.clone()),
        };
        Ok(Some((name, secret_header(&text)?)))
    }

    /// What tells the accounts of one host apart: nothing that could be turned back into the credential.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        match self {
            Self::None => Fingerprint::of(&["none"]),
            Self::Bearer(token) => Fingerprint::of(&["bearer", token.expose_secret()]),
            Self::Basic { user, password } => Fingerprint::of(&["basic", user, password.expose_secret()]),
            Self::Header { name, value } => Fingerprint::of(&["header", name.as_str(), value.expose_secret()]),
            Self::OAuth2(oauth) => {
                Fingerprint::of(&["oauth2", oauth.token_url.as_str(), &oauth.client_id, &oauth.instance])
            }
        }
    }
}

/// A header value that no log of ours or of a library shows.
pub(crate) fn secret_header(text: &SecretString) -> Result<HeaderValue> {
    let unfit = "the credentials are empty or hold characters that no header can carry: copy them again";
    let text = text.expose_secret();
    let fits = !text.trim().is_empty() && text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    let value = fits.then(|| HeaderValue::from_str(text).ok()).flatten();
    let mut value = value.ok_or_else(|| Error::new(ErrorKind::Config, "use the credentials").because(unfit))?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l01_a_credential_is_hidden_even_where_a_library_shows_headers() {
        let secret = || SecretString::from("canary");
        for auth in [
            Auth::Bearer(secret()),
            Auth::Basic { user: "canary".to_owned(), password: secret() },
            Auth::Header { name: HeaderName::from_static("api-key"), value: secret() },
        ] {
            let (_, value) = auth.header().unwrap().unwrap();
            assert_eq!(format!("{value:?}"), "Sensitive");
            assert!(!format!("{auth:?} {}", auth.fingerprint()).contains("canary"));
        }
    }

    #[test]
    fn accounts_are_told_apart_by_their_whole_credentials() {
        let basic = |user: &str, password: &str| {
            let auth = Auth::Basic { user: user.to_owned(), password: SecretString::from(password) };
            auth.fingerprint()
        };
        assert_eq!(basic("ab", "c"), basic("ab", "c"));
        assert_ne!(basic("ab", "c"), basic("a", "bc"));
        assert_ne!(Auth::None.fingerprint(), Auth::Bearer(SecretString::from("none")).fingerprint());
    }
}
