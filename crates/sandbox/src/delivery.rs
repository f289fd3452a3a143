//! How an answer's body reaches the wire: whole, in parts, cut, or half of it and then silence.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::Sleep;

use crate::fault::Framing;
use crate::gate::Permit;
use crate::hostile::Part;

/// How long a cut waits after the first half, so that the half is on the wire before the cut.
const FLUSH: Duration = Duration::from_millis(20);

/// A body on its way.
pub(crate) struct Delivery {
    rest: VecDeque<Part>,
    declared: Option<u64>,
    end: End,
    /// Held until the last byte is handed over: the call counts as in flight for so long.
    _permit: Option<Permit>,
}

/// What comes after the bytes.
enum End {
    /// The end of the body.
    Proper,
    /// The end of the connection, after this.
    Cut(Pin<Box<Sleep>>),
    /// Silence.
    Never,
}

/// The connection is to be cut now.
#[derive(Debug, thiserror::Error)]
#[error("cut the connection as a fault asks")]
pub(crate) struct Cut;

impl Delivery {
    /// All of it.
    pub(crate) fn whole(body: Bytes, permit: Option<Permit>) -> Self {
        Self::parts(vec![Part::once(body)], permit)
    }

    /// All of these, one after the other.
    pub(crate) fn parts(parts: Vec<Part>, permit: Option<Permit>) -> Self {
        let declared = Some(parts.iter().map(Part::len).sum());
        Self { rest: parts.into(), declared, end: End::Proper, _permit: permit }
    }

    /// The first half, then the end of the connection.
    pub(crate) fn cut(body: &Bytes, framing: Framing, permit: Permit) -> Self {
        Self::half(body, framing, (End::Cut(Box::pin(tokio::time::sleep(FLUSH))), permit))
    }

    /// The first half, silence for this long, then the end of the connection.
    pub(crate) fn stalled(body: &Bytes, silence: Duration, permit: Permit) -> Self {
        Self::half(body, Framing::Length, (End::Cut(Box::pin(tokio::time::sleep(silence))), permit))
    }

    /// The first half, then silence until the client leaves or the twin is shut down.
    pub(crate) fn stuck(body: &Bytes, permit: Permit) -> Self {
        Self::half(body, Framing::Length, (End::Never, permit))
    }

    fn half(body: &Bytes, framing: Framing, (end, permit): (End, Permit)) -> Self {
        let declared = match framing {
            // An empty body has no middle; a promised byte makes one.
            Framing::Length => Some(body.len().max(1) as u64),
            Framing::Chunked => None,
        };
        let half = Part::once(body.slice(..body.len() / 2));
        Self { rest: [half].into(), declared, end, _permit: Some(permit) }
    }

    fn next(&mut self) -> Option<Bytes> {
        while let Some(part) = self.rest.front_mut() {
            if part.times > 0 && !part.bytes.is_empty() {
                part.times -= 1;
                return Some(part.bytes.clone());
            }
            self.rest.pop_front();
        }
        None
    }
}

impl Body for Delivery {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        let this = self.get_mut();
        if let Some(bytes) = this.next() {
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        match &mut this.end {
            End::Proper => Poll::Ready(None),
            End::Cut(sleep) => sleep.as_mut().poll(cx).map(|()| Some(Err(Cut))),
            // Nothing wakes this body again: the connection ends when the client closes it or its task is stopped.
            End::Never => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.end, End::Proper) && self.rest.iter().all(|part| part.len() == 0)
    }

    fn size_hint(&self) -> SizeHint {
        self.declared.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
