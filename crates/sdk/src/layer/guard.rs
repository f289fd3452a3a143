//! Lets nothing leave for another origin than the declared one. The last layer above the network, so that no layer and
//! no connector can get around it.

use std::sync::Arc;

use async_trait::async_trait;
use unisson_connector::{Error, ErrorKind, Result};
use url::Origin;

use crate::transport::{Request, Response, Transport};

#[derive(Debug)]
pub(crate) struct Guard {
    origin: Origin,
    inner: Arc<dyn Transport>,
}

impl Guard {
    pub(crate) fn new(origin: Origin, inner: Arc<dyn Transport>) -> Self {
        Self { origin, inner }
    }
}

#[async_trait]
impl Transport for Guard {
    async fn send(&self, request: Request) -> Result<Response> {
        if request.url.origin() != self.origin {
            return Err(Error::new(ErrorKind::Bounds, "send a request to another host than the declared one"));
        }
        self.inner.send(request).await
    }
}
