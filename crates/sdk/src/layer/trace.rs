//! Says of each attempt what an operator may know: method, host, the path without people in it, status, time, size.
//!
//! It never says a query, a header or a body, at any level.

use async_trait::async_trait;
use tokio::time::Instant;
use unisson_connector::Result;

use crate::path;
use crate::transport::{Request, Response, Transport};

#[derive(Debug)]
pub(crate) struct Trace<T> {
    inner: T,
}

impl<T: Transport> Trace<T> {
    pub(crate) fn new(inner: T) -> Self {
        Self { inner }
    }
}

#[async_trait]
impl<T: Transport> Transport for Trace<T> {
    async fn send(&self, request: Request) -> Result<Response> {
        let method = request.method.clone();
        let host = request.url.host_str().unwrap_or_default().to_owned();
        let path = path::redacted(request.url.path());
        let bytes_out = request.body.len();
        let started = Instant::now();
        let result = self.inner.send(request).await;
        let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        match &result {
            Ok(response) => {
                let (status, bytes_in) = (response.status.as_u16(), response.body.len());
                tracing::debug!(%method, host, path, status, ms, bytes_out, bytes_in, "the platform answered");
            }
            Err(error) => {
                tracing::debug!(%method, host, path, kind = error.kind().as_str(), ms, bytes_out, "no answer came");
            }
        }
        result
    }
}
