//! One access token for all who need it, renewed once however many notice that it is over (RFC 6749, 6).
//!
//! Written here rather than taken from the `oauth2` crate, which brings a second library for time, for randomness and
//! for errors along for one form and four fields, and cannot wait for a store between the answer and its use.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};
use std::time::Duration;

use http::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, Method};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;
use unisson_connector::{Error, ErrorKind, Result};
use url::form_urlencoded;

use crate::auth::{OAuth2, secret_header};
use crate::fingerprint::Fingerprint;
use crate::reply::Reply;
use crate::token::Rotated;
use crate::transport::{Repeat, Request, Response, Transport};
use crate::verdict::{Verdict, plainly_limited};

/// How long before its end a token is renewed, so that none ends on its way.
const EXPIRY_MARGIN: Duration = Duration::from_mins(1);
/// The longest life of a token that is believed.
const LIFE_MAX: Duration = Duration::from_hours(24);
/// For how long a refusal is repeated without asking again: a revoked token does not come back.
const REFUSAL_KEPT: Duration = Duration::from_mins(1);
/// What a platform may say about a refused renewal (RFC 6749, 5.2). Nothing else of its answer is repeated.
const CODES: [&str; 6] = [
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
];
const AUTHORISE: &str = "the platform refuses to renew the access: authorise the application again and set its new refresh \
                         token, or correct client id and secret";
const DURING: &str = "renew the access token";

/// The sessions of the process, by store and credentials: two clients with one single-use token must not both spend it.
static SESSIONS: LazyLock<Mutex<Sessions>> = LazyLock::new(Mutex::default);

type Sessions = HashMap<(usize, Fingerprint), Weak<Session>>;

/// The present access of one instance.
pub(crate) struct Session {
    oauth: OAuth2,
    descent: String,
    state: tokio::sync::Mutex<State>,
}

#[derive(Default)]
struct State {
    access: Option<Access>,
    /// A token that is not yet kept: until it is, nothing that came with it is used.
    unsaved: Option<Rotated>,
    refused_at: Option<Instant>,
    generation: u64,
}

/// An access token, ready to be sent.
#[derive(Clone)]
pub(crate) struct Access {
    pub(crate) header: HeaderValue,
    pub(crate) generation: u64,
    good_until: Option<Instant>,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("oauth", &self.oauth).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Answer {
    access_token: String,
    token_type: Option<String>,
    refresh_token: Option<String>,
    /// A number, at some platforms as text.
    expires_in: Option<Value>,
}

#[derive(Deserialize)]
struct Refusal {
    error: String,
}

impl Session {
    /// The session of these credentials: the one there is, or a new one.
    pub(crate) fn of(oauth: OAuth2) -> Arc<Self> {
        let secrets = [oauth.client_secret.expose_secret(), oauth.refresh_token.expose_secret()];
        let whole =
            Fingerprint::of(&[oauth.token_url.as_str(), &oauth.client_id, &oauth.instance, secrets[0], secrets[1]]);
        let store = Arc::as_ptr(&oauth.tokens).cast::<()>() as usize;
        let mut sessions = SESSIONS.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|_, session| session.strong_count() > 0);
        let key = (store, whole);
        if let Some(session) = sessions.get(&key).and_then(Weak::upgrade) {
            return session;
        }
        let descent = Fingerprint::of(&[oauth.refresh_token.expose_secret()]).to_string();
        let session = Arc::new(Self { oauth, descent, state: tokio::sync::Mutex::default() });
        sessions.insert(key, Arc::downgrade(&session));
        session
    }

    /// An access token that is good as far as is known, and of another generation than the one found `over`.
    ///
    /// A renewal runs as a task of its own: were it dropped with the call that needed it, between the platform's answer
    /// and the store, a single-use token would be lost and the instance locked out. The total deadline ends it.
    pub(crate) async fn access(self: &Arc<Self>, tokens: &Arc<dyn Transport>, over: Option<u64>) -> Result<Access> {
        if let Some(access) = self.state.lock().await.usable(over) {
            return Ok(access);
        }
        let (session, tokens) = (Arc::clone(self), Arc::clone(tokens));
        let renewal = tokio::spawn(async move { session.renewed(tokens.as_ref(), over).await });
        renewal.await.map_err(|stopped| Error::new(ErrorKind::Transient, DURING).because(stopped))?
    }

    /// Whoever comes first renews; who waited finds the new token.
    async fn renewed(&self, tokens: &dyn Transport, over: Option<u64>) -> Result<Access> {
        let mut state = self.state.lock().await;
        self.save(&mut state).await?;
        if let Some(access) = state.usable(over) {
            return Ok(access);
        }
        if state.refused_at.is_some_and(|at| at.elapsed() < REFUSAL_KEPT) {
            return Err(Error::new(ErrorKind::Config, DURING).because(AUTHORISE));
        }
        let asked_at = Instant::now();
        let refresh_token = self.refresh_token().await?;
        let response = tokens.send(self.request(&refresh_token)).await?;
        if let Some(error) = refusal(&response) {
            state.refused_at = (error.kind() == ErrorKind::Config).then_some(asked_at);
            return Err(error);
        }
        let answer = Reply::new(response, DURING).json::<Answer>()?;
        state.generation += 1;
        state.refused_at = None;
        // even where the access token turns out to be useless: the old refresh token may be spent by now
        let rotated = answer.rotated(&refresh_token);
        state.unsaved = rotated.map(|token| Rotated { token, descends_from: self.descent.clone() });
        let access = answer.access(state.generation, asked_at);
        state.access = access.as_ref().ok().cloned();
        self.save(&mut state).await?;
        access
    }

    /// Keeps a rotated token before anything that came with it is used.
    async fn save(&self, state: &mut State) -> Result<()> {
        if let Some(rotated) = &state.unsaved {
            self.oauth.tokens.store(&self.oauth.instance, rotated).await?;
            state.unsaved = None;
        }
        Ok(())
    }

    /// The kept token, if it goes back to the configured one; else the configured one.
    async fn refresh_token(&self) -> Result<SecretString> {
        let kept = self.oauth.tokens.load(&self.oauth.instance).await?;
        let kept = kept.filter(|kept| kept.descends_from == self.descent);
        Ok(kept.map_or_else(|| self.oauth.refresh_token.clone(), |kept| kept.token))
    }

    /// Safe to repeat: nothing else helps when the answer was lost, and no change at the platform is made twice by it.
    fn request(&self, refresh_token: &SecretString) -> Request {
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "refresh_token")
            .append_pair("refresh_token", refresh_token.expose_secret())
            .append_pair("client_id", &self.oauth.client_id)
            .append_pair("client_secret", self.oauth.client_secret.expose_secret())
            .finish();
        let headers = HeaderMap::from_iter([
            (ACCEPT, HeaderValue::from_static("application/json")),
            (CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded")),
        ]);
        let url = self.oauth.token_url.clone();
        Request { method: Method::POST, url, headers, body: form.into(), repeat: Repeat::Safe }
    }
}

impl State {
    fn usable(&self, over: Option<u64>) -> Option<Access> {
        let access = self.access.as_ref().filter(|_| self.unsaved.is_none())?;
        let is_good = access.good_until.is_none_or(|until| Instant::now() < until);
        (is_good && Some(access.generation) != over).then(|| access.clone())
    }
}

impl Answer {
    fn access(&self, generation: u64, asked_at: Instant) -> Result<Access> {
        let broken = |fault| Error::new(ErrorKind::Contract, DURING).with("fault", fault);
        if !self.token_type.as_deref().unwrap_or("bearer").eq_ignore_ascii_case("bearer") {
            return Err(broken("a token that is no bearer token"));
        }
        let token = self.access_token.trim();
        let header = SecretString::from(format!("Bearer {token}"));
        let header = secret_header(&header).ok().filter(|_| !token.is_empty());
        let header = header.ok_or_else(|| broken("a token that no header can carry"))?;
        let good_until = self.life().map(|life| asked_at + life - EXPIRY_MARGIN.min(life / 2));
        Ok(Access { header, generation, good_until })
    }

    /// How long the token lives, where that is said and more than nothing; otherwise it is used until it is refused.
    fn life(&self) -> Option<Duration> {
        let seconds = match self.expires_in.as_ref()? {
            Value::Number(number) => number.as_f64()?,
            Value::String(text) => text.trim().parse().ok()?,
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
        };
        let life = Duration::try_from_secs_f64(seconds.min(LIFE_MAX.as_secs_f64())).ok()?;
        (life >= Duration::from_secs(1)).then_some(life)
    }

    /// The refresh token to use from now on, if it is another one.
    fn rotated(&self, used: &SecretString) -> Option<SecretString> {
        let token = self.refresh_token.as_deref().map(str::trim).filter(|token| !token.is_empty())?;
        (token != used.expose_secret()).then(|| SecretString::from(token))
    }
}

/// Why the platform does not renew, if it does not.
fn refusal(response: &Response) -> Option<Error> {
    let verdict = match Verdict::of(response, plainly_limited) {
        Verdict::Final(ErrorKind::Contract) => Verdict::Final(ErrorKind::Contract),
        Verdict::Final(_) => Verdict::Final(ErrorKind::Config),
        passing => passing,
    };
    let error = verdict.error(response, Repeat::Safe, DURING)?;
    if error.kind() != ErrorKind::Config {
        return Some(error);
    }
    let code = serde_json::from_slice::<Refusal>(&response.body).ok();
    let code = code.and_then(|refusal| CODES.into_iter().find(|code| refusal.error == *code));
    Some(error.with("code", code.unwrap_or("unnamed")).because(AUTHORISE))
}
