//! Ends an attempt that takes too long in all, however it spends its time. The finer deadlines are the network's.

use std::time::Duration;

use async_trait::async_trait;
use tokio::time::timeout;
use unisson_connector::{Error, ErrorKind, Result};

use crate::transport::{Request, Response, Transport};

#[derive(Debug)]
pub(crate) struct Deadline<T> {
    total: Duration,
    inner: T,
}

impl<T: Transport> Deadline<T> {
    pub(crate) fn new(total: Duration, inner: T) -> Self {
        Self { total, inner }
    }
}

#[async_trait]
impl<T: Transport> Transport for Deadline<T> {
    async fn send(&self, request: Request) -> Result<Response> {
        let repeat = request.repeat;
        timeout(self.total, self.inner.send(request)).await.unwrap_or_else(|_| {
            let kind = repeat.once_sent(ErrorKind::Transient);
            Err(Error::new(kind, "get the whole answer in time").with("deadline_ms", self.total.as_millis()))
        })
    }
}
