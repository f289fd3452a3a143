//! The shell around a twin: sockets, allowances, faults, the call log. The twin itself knows none of these.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::http::HeaderValue;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::calls::{Call, CallLog};
use crate::clock::{Clock, http_date};
use crate::control;
use crate::delivery::Delivery;
use crate::fault::{Fault, Faults, Sight, Strike};
use crate::gate::{Gate, Permit};
use crate::message::{Ask, Reply};
use crate::spoil;
use crate::twin::{Handler, Refusal, Route, Twin};

/// The largest request body. The largest batch of either vendor is far below.
const BODY_BYTES_MAX: usize = 8 * 1024 * 1024;

/// How many connections are served at once; further ones wait.
const CONNECTIONS_MAX: usize = 1_024;

/// Of how many listings the last page is kept; neither twin has as many.
const LISTINGS_MAX: usize = 64;

/// What both twins have and a handle shows.
pub(crate) struct Core {
    pub(crate) clock: Arc<Clock>,
    pub(crate) gate: Gate,
    faults: Mutex<Faults>,
    calls: Mutex<CallLog>,
    /// The last page of each listing by its path, for the fault that shows it again.
    pages: Mutex<HashMap<String, Reply>>,
}

impl Core {
    pub(crate) fn new(clock: Arc<Clock>, gate: Gate, seed: u64) -> Self {
        let faults = Mutex::new(Faults::new(seed));
        Self { clock, gate, faults, calls: Mutex::default(), pages: Mutex::default() }
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn calls(&self) -> MutexGuard<'_, CallLog> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pages(&self) -> MutexGuard<'_, HashMap<String, Reply>> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep_page(&self, path: String, page: Reply) {
        let mut pages = self.pages();
        if pages.len() == LISTINGS_MAX {
            pages.clear();
        }
        pages.insert(path, page);
    }

    /// Forgets faults, calls and used allowances.
    pub(crate) fn reset(&self) {
        self.faults().clear();
        self.calls().clear();
        self.pages().clear();
        self.gate.reset();
    }
}

/// A twin with its shell.
pub(crate) struct Server<T: Twin> {
    twin: RwLock<T>,
    pub(crate) core: Arc<Core>,
    routes: Vec<Route<T>>,
}

/// The connection is dropped without an answer.
#[derive(Debug, thiserror::Error)]
#[error("drop the connection as a fault asks")]
struct Dropped;

/// What is known of a call before it is answered.
struct Seen {
    route: Option<usize>,
    template: &'static str,
    paged: bool,
    write: bool,
}

impl<T: Twin> Server<T> {
    pub(crate) fn new(twin: T, core: Arc<Core>) -> Self {
        Self { twin: RwLock::new(twin), core, routes: T::routes() }
    }

    /// Serves until told to stop; then every connection is closed, answered or not.
    pub(crate) async fn serve(self: Arc<Self>, listener: TcpListener, mut stop: watch::Receiver<bool>) {
        let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                () = async { stop.wait_for(|stop| *stop).await.map(drop).unwrap_or_default() } => return,
                Some(_) = connections.join_next() => {}
                accepted = async {
                    let place = Arc::clone(&room).acquire_owned().await;
                    (place, listener.accept().await)
                } => match accepted {
                    (Ok(place), Ok((stream, _))) => {
                        let server = Arc::clone(&self);
                        connections.spawn(async move {
                            server.converse(stream).await;
                            drop(place);
                        });
                    }
                    (_, Err(error)) => {
                        // Running out of descriptors is the common cause; waiting lets connections end.
                        tracing::debug!(twin = T::NAME, kind = ?error.kind(), "could not accept a connection");
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                    (Err(_), Ok(_)) => return,
                }
            }
        }
    }

    async fn converse(self: Arc<Self>, stream: TcpStream) {
        // Without this, small answers wait for the peer's delayed acknowledgement.
        let _ = stream.set_nodelay(true);
        let service = service_fn(|request| Arc::clone(&self).respond(request));
        let served = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        if let Err(error) = served {
            tracing::debug!(twin = T::NAME, cut = error.is_user(), "a connection ended early");
        }
    }

    async fn respond(self: Arc<Self>, request: Request<Incoming>) -> Result<Response<Delivery>, Dropped> {
        let (parts, body) = request.into_parts();
        let permit = (!control::is_for(parts.uri.path())).then(|| self.core.gate.enter());
        let Ok(body) = Limited::new(body, BODY_BYTES_MAX).collect().await else {
            return Ok(self.whole(&T::refusal(&Refusal::TooLarge), permit));
        };
        let ask = Ask::new(&parts, body.to_bytes());
        let Some(permit) = permit else {
            let server = Arc::clone(&self);
            let done = in_its_own_time::<T>("control", move || control::answer(&server, &ask)).await;
            return Ok(self.whole(&done, None));
        };
        self.answer(ask, permit).await
    }

    async fn answer(self: Arc<Self>, mut ask: Ask, permit: Permit) -> Result<Response<Delivery>, Dropped> {
        let seen = self.recognise(&mut ask);
        let strike = self.core.faults().strike(&Sight {
            method: ask.method.as_str(),
            path: &ask.path,
            page: seen.paged.then_some(ask.identity),
            place: &if seen.paged { T::place(&ask) } else { String::new() },
        });
        let fault = strike.as_ref().map(|strike| strike.fault.clone());
        // Noted before it is carried out: a client that hangs up meanwhile must not hide what it did.
        let number = self.core.calls().open(Call {
            number: 0,
            method: ask.method.to_string(),
            template: seen.template,
            status: None,
            write: seen.write,
            fault: fault.as_ref().map(Fault::name),
        });
        let reply = self.obtain(ask, &seen, strike).await;
        if let Some(Fault::DelayAnswer(delay_ms)) = fault {
            tokio::time::sleep(Duration::from_millis(delay_ms)).await;
        }
        let reply = reply.filter(|_| fault != Some(Fault::LostAnswer)).ok_or(Dropped)?;
        self.core.calls().close(number, reply.status);
        Ok(match fault {
            Some(Fault::CutBody(framing)) => self.render(&reply, Delivery::cut(&reply.body, framing, permit)),
            Some(Fault::StallBody(silence_ms)) => {
                let silence = Duration::from_millis(silence_ms);
                self.render(&reply, Delivery::stalled(&reply.body, silence, permit))
            }
            _ => self.whole(&reply, Some(permit)),
        })
    }

    /// Finds the route, and fills in what stands for its placeholders.
    fn recognise(&self, ask: &mut Ask) -> Seen {
        for (at, route) in self.routes.iter().enumerate() {
            if let Some(params) = route.fit(&ask.method, &ask.segments) {
                ask.params = params;
                let write = matches!(route.handler, Handler::Write(_));
                return Seen { route: Some(at), template: route.template, paged: route.paged, write };
            }
        }
        Seen { route: None, template: "(no such path)", paged: false, write: false }
    }

    /// The answer to a call, or `None` where a fault swallows it before it is carried out.
    async fn obtain(self: &Arc<Self>, mut ask: Ask, seen: &Seen, strike: Option<Strike>) -> Option<Reply> {
        let quota = match self.core.gate.admit(seen.template) {
            Ok(quota) => quota,
            Err(denied) => return Some(T::denied(denied)),
        };
        let path = ask.path.clone();
        let fault = strike.as_ref().map(|strike| strike.fault.clone());
        if fault == Some(Fault::DropCall) {
            return None;
        }
        let instead = fault.as_ref().and_then(|fault| spoil::instead::<T>(fault, &ask, self.core.clock.now_ms()));
        let repeated = || (fault == Some(Fault::RepeatedPage)).then(|| self.core.pages().get(&path).cloned())?;
        let mut reply = if let Some(reply) = instead.or_else(repeated) {
            reply
        } else {
            ask.bend = strike.map(spoil::bend).unwrap_or_default();
            let pretend = fault == Some(Fault::FalseAcknowledgement);
            self.handle(ask, seen, pretend).await
        };
        if seen.paged && reply.status == 200 && fault.is_none() {
            self.core.keep_page(path, reply.clone());
        }
        if fault == Some(Fault::TruncatedJson) {
            reply.body.truncate(reply.body.len() / 2);
        }
        Some(match quota {
            Some(quota) => T::dress(reply, quota),
            None => reply,
        })
    }

    /// Runs the route's handler.
    async fn handle(self: &Arc<Self>, ask: Ask, seen: &Seen, pretend: bool) -> Reply {
        let Some(at) = seen.route else { return T::refusal(&Refusal::NoSuchPath) };
        let server = Arc::clone(self);
        in_its_own_time::<T>(seen.template, move || server.run(&server.routes[at], &ask, pretend)).await
    }

    fn run(&self, route: &Route<T>, ask: &Ask, pretend: bool) -> Reply {
        let allowed = if route.open { Ok(()) } else { self.read().authenticate(ask) };
        let answer = allowed.and_then(|()| match route.handler {
            Handler::Read(read) => read(&self.read(), ask),
            Handler::Write(write) => {
                let mut twin = self.write();
                if pretend {
                    twin.begin();
                }
                let answer = write(&mut twin, ask);
                if pretend {
                    twin.undo();
                }
                answer
            }
        });
        answer.unwrap_or_else(|refusal| refusal)
    }

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, T> {
        self.twin.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, T> {
        self.twin.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn whole(&self, reply: &Reply, permit: Option<Permit>) -> Response<Delivery> {
        let body = reply.body.clone();
        self.render(reply, Delivery::whole(body, permit))
    }

    fn render(&self, reply: &Reply, delivery: Delivery) -> Response<Delivery> {
        let mut response = Response::new(delivery);
        *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let date = ("date", http_date(self.core.clock.now_ms()));
        for (name, value) in std::iter::once(&date).chain(&reply.headers) {
            // A header value that HTTP cannot carry, such as one a fault asks for, is left out.
            if let Ok(value) = HeaderValue::from_str(value) {
                response.headers_mut().insert(*name, value);
            }
        }
        response
    }
}

/// Makes an answer where it may take its time: a page of a million members must not hold up the runtime.
async fn in_its_own_time<T: Twin>(template: &'static str, make: impl FnOnce() -> Reply + Send + 'static) -> Reply {
    tokio::task::spawn_blocking(make).await.unwrap_or_else(|_| {
        tracing::error!(twin = T::NAME, template, "a handler of the sandbox failed; this is a bug");
        T::refusal(&Refusal::Server(500))
    })
}
