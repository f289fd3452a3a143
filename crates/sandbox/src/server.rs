//! The shell around a twin: sockets, allowances, weather, faults, the call log. The twin itself knows none of these.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
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

use crate::calls::Call;
use crate::clock::http_date;
use crate::control;
use crate::core::Core;
use crate::delivery::Delivery;
use crate::fault::{Fault, Lag, Sight, Strike};
use crate::gate::Permit;
use crate::hostile;
use crate::late::{Late, Pending};
use crate::message::{Ask, Reply};
use crate::spoil;
use crate::twin::{Handler, Refusal, Route, Twin};
use crate::weather::Plight;

/// The largest request body. The largest batch of either vendor is far below.
const BODY_BYTES_MAX: usize = 8 * 1024 * 1024;

/// How many connections are served at once; further ones wait.
const CONNECTIONS_MAX: usize = 1_024;

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
    /// Whether it fetches credentials.
    open: bool,
    plight: Option<Plight>,
}

/// What becomes of a write.
enum Effect {
    /// It is carried out.
    Full,
    /// It is carried out and undone.
    None,
    /// It is carried out later.
    Late(Lag),
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
        let mut seen = self.recognise(&mut ask);
        self.core.gate.see(seen.template);
        seen.plight = self.core.weather().strike(seen.open);
        // Faults count the calls that they are about; those that the weather keeps away are none.
        let strike = if seen.plight.is_some() { None } else { self.strike(&ask, &seen) };
        let fault = strike.as_ref().map(|strike| strike.fault.clone());
        // Noted before it is carried out: a client that hangs up meanwhile must not hide what it did.
        let number = self.core.calls().open(Call {
            number: 0,
            method: ask.method.to_string(),
            template: seen.template,
            status: None,
            write: seen.write,
            fault: seen.plight.as_ref().map(Plight::name).or(fault.as_ref().map(Fault::name)),
        });
        let reply = self.obtain(ask, &seen, strike).await;
        if let Some(Fault::DelayAnswer(delay_ms)) = fault {
            tokio::time::sleep(Duration::from_millis(delay_ms)).await;
        }
        let reply = reply.filter(|_| fault != Some(Fault::LostAnswer)).ok_or(Dropped)?;
        self.core.calls().close(number, reply.status);
        Ok(self.send(reply, fault.as_ref(), permit))
    }

    fn strike(&self, ask: &Ask, seen: &Seen) -> Option<Strike> {
        self.core.faults().strike(&Sight {
            method: ask.method.as_str(),
            path: &ask.path,
            page: seen.paged.then_some(ask.identity),
            place: &if seen.paged { T::place(ask) } else { String::new() },
        })
    }

    /// Puts an answer on the wire as its fault wants it.
    fn send(&self, reply: Reply, fault: Option<&Fault>, permit: Permit) -> Response<Delivery> {
        let body = &reply.body;
        let delivery = match fault {
            Some(Fault::CutBody(framing)) => Delivery::cut(body, *framing, permit),
            Some(Fault::StallBody(silence_ms)) => Delivery::stalled(body, Duration::from_millis(*silence_ms), permit),
            Some(Fault::StallForEver) => Delivery::stuck(body, permit),
            Some(Fault::HugeBody(mib)) => Delivery::parts(hostile::huge(body, *mib), Some(permit)),
            Some(Fault::GzipBomb(mib)) => {
                let delivery = Delivery::parts(hostile::bomb(body, *mib), Some(permit));
                return self.render(&reply.with("content-encoding", "gzip".to_owned()), delivery);
            }
            Some(Fault::DeepJson(levels)) => Delivery::whole(hostile::deep(body, *levels), Some(permit)),
            Some(Fault::InvalidUtf8) => Delivery::whole(hostile::not_text(body), Some(permit)),
            Some(Fault::LongAddress(kib)) => Delivery::whole(hostile::long_address(body, *kib), Some(permit)),
            _ => return self.whole(&reply, Some(permit)),
        };
        self.render(&reply, delivery)
    }

    /// Finds the route, and fills in what stands for its placeholders.
    fn recognise(&self, ask: &mut Ask) -> Seen {
        let unknown =
            Seen { route: None, template: "(no such path)", paged: false, write: false, open: false, plight: None };
        for (at, route) in self.routes.iter().enumerate() {
            if let Some(params) = route.fit(&ask.method, &ask.segments) {
                ask.params = params;
                let write = matches!(route.handler, Handler::Write(_));
                let (template, paged, open) = (route.template, route.paged, route.open);
                return Seen { route: Some(at), template, paged, write, open, ..unknown };
            }
        }
        unknown
    }

    /// The answer to a call, or `None` where a fault swallows it before it is carried out.
    async fn obtain(self: &Arc<Self>, mut ask: Ask, seen: &Seen, strike: Option<Strike>) -> Option<Reply> {
        if let Some(plight) = &seen.plight {
            return Some(spoil::suffered::<T>(plight, self.core.clock.now_ms()));
        }
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
        let repeated = || (fault == Some(Fault::RepeatedPage)).then(|| self.core.last_page(&path))?;
        let mut reply = if let Some(reply) = instead.or_else(repeated) {
            reply
        } else {
            ask.bend = strike.map(spoil::bend).unwrap_or_default();
            let effect = match fault {
                Some(Fault::FalseAcknowledgement) => Effect::None,
                Some(Fault::LateEffect(lag)) => Effect::Late(lag),
                _ => Effect::Full,
            };
            self.handle(ask, seen, effect).await
        };
        if seen.paged && reply.status == 200 && fault.is_none() {
            self.core.keep_page(path, reply.clone());
        }
        if seen.open && reply.status == 200 {
            self.core.weather().renew();
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
    async fn handle(self: &Arc<Self>, ask: Ask, seen: &Seen, effect: Effect) -> Reply {
        let Some(at) = seen.route else { return T::refusal(&Refusal::NoSuchPath) };
        let server = Arc::clone(self);
        in_its_own_time::<T>(seen.template, move || server.run(at, ask, &effect)).await
    }

    fn run(&self, at: usize, ask: Ask, effect: &Effect) -> Reply {
        let route = &self.routes[at];
        let allowed = if route.open { Ok(()) } else { self.read().authenticate(&ask) };
        let answer = allowed.and_then(|()| match route.handler {
            Handler::Read(read) => {
                let answer = read(&self.read(), &ask);
                self.core.late().count_read();
                answer
            }
            Handler::Write(_) => Ok(self.write_with(at, ask, effect)),
        });
        answer.unwrap_or_else(|refusal| refusal)
    }

    /// Carries a write out as the fault wants it. What waits to show is part of what the writer sees: it is carried out
    /// first, and undone again with everything that is not to show yet.
    fn write_with(&self, at: usize, ask: Ask, effect: &Effect) -> Reply {
        let mut late = self.core.late();
        let mut twin = self.twin.write().unwrap_or_else(PoisonError::into_inner);
        self.show_due(&mut late, &mut twin);
        if matches!(effect, Effect::Full) && late.is_empty() {
            return self.carry_out(&mut twin, at, &ask);
        }
        twin.begin();
        for pending in late.iter() {
            self.carry_out_late(&mut twin, pending);
        }
        let reply = self.carry_out(&mut twin, at, &ask);
        twin.undo();
        let lag = match effect {
            Effect::None => return reply,
            Effect::Full => None,
            Effect::Late(lag) => Some(lag),
        };
        if (200..300).contains(&reply.status)
            && let Some(early) = late.push((ask, at), lag, self.core.clock.now_ms())
        {
            self.carry_out_late(&mut twin, &early);
        }
        reply
    }

    fn carry_out(&self, twin: &mut T, at: usize, ask: &Ask) -> Reply {
        match self.routes[at].handler {
            Handler::Write(write) => write(twin, ask).unwrap_or_else(|refusal| refusal),
            Handler::Read(read) => read(twin, ask).unwrap_or_else(|refusal| refusal),
        }
    }

    /// Carries out a write that was sent earlier, at the moment at which it was sent.
    fn carry_out_late(&self, twin: &mut T, pending: &Pending) {
        twin.watch().hold(Some(pending.sent_ms));
        self.carry_out(twin, pending.route, &pending.ask);
        twin.watch().hold(None);
    }

    fn show_due(&self, late: &mut Late, twin: &mut T) {
        for pending in late.take_due(self.core.clock.now_ms()) {
            self.carry_out_late(twin, &pending);
        }
    }

    /// The twin as it shows itself now.
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, T> {
        let mut late = self.core.late();
        if !late.is_empty() {
            self.show_due(&mut late, &mut self.twin.write().unwrap_or_else(PoisonError::into_inner));
        }
        drop(late);
        self.twin.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The twin, to be changed by another hand than the API's: what waits to show is carried out first, so that a
    /// person's act is never overtaken by an older write.
    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, T> {
        let mut late = self.core.late();
        let mut twin = self.twin.write().unwrap_or_else(PoisonError::into_inner);
        for pending in late.take_all() {
            self.carry_out_late(&mut twin, &pending);
        }
        twin
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
