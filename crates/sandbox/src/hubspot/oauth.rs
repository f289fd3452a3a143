//! Access tokens: the fixed one of a private app, and those that a refresh token gives for half an hour.

use std::collections::VecDeque;
use std::sync::PoisonError;

use serde_json::json;

use super::refuse::{CORRELATION, Trouble};
use super::state::State;
use crate::message::{Answer, Ask, Reply};
use crate::options::{HubSpotOptions, Refresh};

const LIFETIME_S: i64 = 1_800;
/// How many access tokens are known at once; the oldest gives way.
const TOKENS_MAX: usize = 64;

/// The OAuth sessions of one portal.
#[derive(Debug)]
pub(crate) struct Sessions {
    refresh_token: String,
    issued: u32,
    /// Access tokens with the moment they expire, in milliseconds since 1970.
    access: VecDeque<(String, i64)>,
}

impl Sessions {
    pub(super) fn new(options: &HubSpotOptions) -> Self {
        Self { refresh_token: options.refresh_token.reveal().to_owned(), issued: 0, access: VecDeque::new() }
    }

    /// Ends every access token at once.
    pub(super) fn expire(&mut self) {
        for (_, until_ms) in &mut self.access {
            *until_ms = i64::MIN;
        }
    }
}

/// POST: a refresh token becomes an access token.
pub(super) fn token(state: &State, ask: &Ask) -> Answer {
    let form = ask.form();
    let field = |name: &str| form.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    if field("grant_type") != "refresh_token" {
        return Err(refused("UNSUPPORTED_GRANT_TYPE", "the sandbox grants refresh_token only, form-encoded"));
    }
    let options = &state.options;
    if field("client_id") != options.client_id || field("client_secret") != options.client_secret.reveal() {
        return Err(refused("BAD_CLIENT_ID", "missing or unknown client id or secret"));
    }
    let mut sessions = state.sessions.lock().unwrap_or_else(PoisonError::into_inner);
    if field("refresh_token") != sessions.refresh_token {
        return Err(refused("BAD_REFRESH_TOKEN", "missing or invalid refresh token"));
    }
    sessions.issued += 1;
    let access = format!("sandbox-access-{}", sessions.issued);
    if sessions.access.len() == TOKENS_MAX {
        sessions.access.pop_front();
    }
    sessions.access.push_back((access.clone(), state.clock.now_ms() + LIFETIME_S * 1_000));
    if options.refresh == Refresh::Rotates {
        sessions.refresh_token = format!("{}-{}", options.refresh_token.reveal(), sessions.issued);
    }
    Ok(Reply::json(
        200,
        &json!({
            "token_type": "bearer", "access_token": access, "refresh_token": sessions.refresh_token,
            "expires_in": LIFETIME_S,
        }),
    ))
}

fn refused(status: &str, message: &str) -> Reply {
    Reply::json(400, &json!({"status": status, "message": message, "correlationId": CORRELATION}))
}

impl State {
    /// Whether the bearer token of a call is good.
    pub(super) fn admit_token(&self, header: Option<&str>) -> Result<(), Reply> {
        let token = header.and_then(|header| header.split_once(' '));
        let token =
            token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map_or("", |(_, token)| token.trim());
        if token == self.options.token.reveal() {
            return Ok(());
        }
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        match sessions.access.iter().find(|(known, _)| known == token) {
            Some((_, until_ms)) if *until_ms > self.clock.now_ms() => Ok(()),
            Some(_) => Err(unauthorized("EXPIRED_AUTHENTICATION")),
            None => Err(unauthorized("INVALID_AUTHENTICATION")),
        }
    }
}

pub(super) fn unauthorized(category: &'static str) -> Reply {
    let message = "authentication credentials not found, not valid or expired".to_owned();
    Trouble { status: 401, category, message }.into()
}
