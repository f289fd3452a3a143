//! Sends the present access token, and once more with a new one when the platform says that it is over.
//!
//! A request that was refused as unauthenticated was not carried out, so even one that must not be repeated is sent again.

use std::sync::Arc;

use async_trait::async_trait;
use http::StatusCode;
use http::header::AUTHORIZATION;
use unisson_connector::Result;

use crate::session::{Access, Session};
use crate::transport::{Request, Response, Transport};

#[derive(Debug)]
pub(crate) struct Bearer {
    session: Arc<Session>,
    tokens: Arc<dyn Transport>,
    inner: Arc<dyn Transport>,
}

impl Bearer {
    pub(crate) fn new(session: Arc<Session>, tokens: Arc<dyn Transport>, inner: Arc<dyn Transport>) -> Self {
        Self { session, tokens, inner }
    }

    async fn send_with(&self, access: &Access, mut request: Request) -> Result<Response> {
        request.headers.insert(AUTHORIZATION, access.header.clone());
        self.inner.send(request).await
    }
}

#[async_trait]
impl Transport for Bearer {
    async fn send(&self, request: Request) -> Result<Response> {
        let access = self.session.access(&self.tokens, None).await?;
        let response = self.send_with(&access, request.clone()).await?;
        if response.status != StatusCode::UNAUTHORIZED {
            return Ok(response);
        }
        let access = self.session.access(&self.tokens, Some(access.generation)).await?;
        self.send_with(&access, request).await
    }
}
