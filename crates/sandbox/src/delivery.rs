//! How an answer's body reaches the wire: whole, cut, or half of it and then silence.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::Sleep;

use crate::fault::Framing;
use crate::gate::Permit;

/// How long a cut waits after the first half, so that the half is on the wire before the cut.
const FLUSH: Duration = Duration::from_millis(20);

/// A body on its way.
pub(crate) struct Delivery {
    rest: Option<Bytes>,
    declared: Option<u64>,
    breaks: Option<Pin<Box<Sleep>>>,
    /// Held until the last byte is handed over: the call counts as in flight for so long.
    _permit: Option<Permit>,
}

/// The connection is to be cut now.
#[derive(Debug, thiserror::Error)]
#[error("cut the connection as a fault asks")]
pub(crate) struct Cut;

impl Delivery {
    /// All of it.
    pub(crate) fn whole(body: Bytes, permit: Option<Permit>) -> Self {
        let declared = Some(body.len() as u64);
        Self { rest: Some(body), declared, breaks: None, _permit: permit }
    }

    /// The first half, then the end of the connection.
    pub(crate) fn cut(body: &Bytes, framing: Framing, permit: Permit) -> Self {
        Self::half(body, framing, (FLUSH, permit))
    }

    /// The first half, silence for this long, then the end of the connection.
    pub(crate) fn stalled(body: &Bytes, silence: Duration, permit: Permit) -> Self {
        Self::half(body, Framing::Length, (silence, permit))
    }

    fn half(body: &Bytes, framing: Framing, (wait, permit): (Duration, Permit)) -> Self {
        let declared = match framing {
            // An empty body has no middle; a promised byte makes one.
            Framing::Length => Some(body.len().max(1) as u64),
            Framing::Chunked => None,
        };
        let breaks = Some(Box::pin(tokio::time::sleep(wait)));
        Self { rest: Some(body.slice(..body.len() / 2)), declared, breaks, _permit: Some(permit) }
    }
}

impl Body for Delivery {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        let this = self.get_mut();
        if let Some(bytes) = this.rest.take().filter(|bytes| !bytes.is_empty()) {
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        match this.breaks.as_mut() {
            None => Poll::Ready(None),
            Some(sleep) => sleep.as_mut().poll(cx).map(|()| Some(Err(Cut))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.breaks.is_none() && self.rest.as_ref().is_none_or(Bytes::is_empty)
    }

    fn size_hint(&self) -> SizeHint {
        self.declared.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
