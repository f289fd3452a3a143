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

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, Method, StatusCode};
    use url::Url;

    use super::*;
    use crate::transport::Repeat;

    #[derive(Debug)]
    struct Open;

    #[async_trait]
    impl Transport for Open {
        async fn send(&self, _request: Request) -> Result<Response> {
            Ok(Response { status: StatusCode::OK, headers: HeaderMap::new(), body: Bytes::new() })
        }
    }

    #[tokio::test]
    async fn l07_whatever_a_layer_above_may_do_nothing_leaves_for_another_origin() {
        let url = |text: &str| text.parse::<Url>().unwrap();
        let guard = Guard::new(url("https://api.example.org").origin(), Arc::new(Open));
        for (to, leaves) in [
            ("https://api.example.org/a", true),
            ("https://api.example.org:443/b?c", true),
            ("https://api.example.org:8443/a", false),
            ("http://api.example.org/a", false),
            ("https://example.org/a", false),
            ("https://169.254.169.254/latest", false),
        ] {
            let (headers, body) = (HeaderMap::new(), Bytes::new());
            let request = Request { method: Method::GET, url: url(to), headers, body, repeat: Repeat::Safe };
            let kind = guard.send(request).await.err().map(|error| error.kind());
            assert_eq!(kind, (!leaves).then_some(ErrorKind::Bounds), "{to}");
        }
    }
}
