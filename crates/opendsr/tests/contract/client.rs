//! A controller and a processor that talk to each other, and what goes wrong between them.

use std::sync::Mutex;

use async_trait::async_trait;
use bytes::Bytes;
use futures::executor::block_on;
use http::{Method, Request as HttpRequest, Response, StatusCode};
use jiff::SignedDuration;
use unisson_opendsr::{
    Answer, Base, Client, ClientError, Domain, Exchange, ExchangeError, Forged, IdentityFormat, IdentityType, Outcome,
    Progress, Receiver, RequestId, Status, StatusReport, is_overdue, next_poll,
};

use crate::support::{CASE, HOST, WORLD, cached, discovery, domain, now, raw_request, signer, trust};

/// A processor behind an exchange: our own receiving side, and what it should do wrong.
struct Processor {
    outcome: Outcome,
    wrong: fn(Response<Bytes>) -> Response<Bytes>,
    asked: Mutex<Vec<Method>>,
}

impl Processor {
    fn at(outcome: Outcome) -> Self {
        Self { outcome, wrong: |response| response, asked: Mutex::default() }
    }

    fn answer(&self, request: &HttpRequest<Bytes>) -> Response<Bytes> {
        let signer = signer();
        let domains = [Domain::parse("unisson.example.org").unwrap()];
        let us = Receiver { signer: &signer, controller: "controller-1", callback_domains: &domains };
        let expected_at = now() + SignedDuration::from_hours(24);
        let id = RequestId::of(CASE, &domain(), 1);
        let answer = Answer { id, outcome: self.outcome, expected_at, results: None };
        match (request.method(), request.uri().path()) {
            (&Method::GET, "/v3/discovery") => {
                let known = discovery(&[(IdentityType::Email, IdentityFormat::Raw)]);
                Response::new(Bytes::from(serde_json::to_vec(&known).unwrap()))
            }
            (&Method::GET, "/cert.pem") => Response::new(Bytes::from(WORLD.good.clone())),
            (&Method::POST, "/v3/requests") => match us.read(request.body(), now()) {
                Ok(incoming) => us.created(&incoming, now(), expected_at).unwrap(),
                Err(refusal) => refusal.response(),
            },
            (&Method::GET, _) => us.status(&answer).unwrap(),
            _ => us.cancel(&answer, now()).unwrap(),
        }
    }
}

#[async_trait]
impl Exchange for Processor {
    async fn send(&self, request: HttpRequest<Bytes>) -> Result<Response<Bytes>, ExchangeError> {
        self.asked.lock().unwrap().push(request.method().clone());
        Ok((self.wrong)(self.answer(&request)))
    }
}

/// What a client makes of a processor.
fn asking<T>(processor: &Processor, ask: impl FnOnce(&Client<'_, Processor>) -> T) -> T {
    let base = Base::parse(&format!("https://{HOST}/v3/")).unwrap();
    ask(&Client { exchange: processor, base: &base, trust: &trust() })
}

#[test]
fn a_request_goes_out_is_worked_on_and_done() {
    let processor = Processor::at(Outcome::Waiting);
    asking(&processor, |client| {
        let known = block_on(client.discover(now())).unwrap();
        let request = raw_request();
        let created = block_on(client.submit(&known, &request, now())).unwrap();
        assert_eq!(created.subject_request_id, request.subject_request_id);
        let report = block_on(client.status(&known, &request.subject_request_id, now())).unwrap();
        assert_eq!((report.request_status, report.controller_id.as_str()), (Status::Pending, "controller-1"));
        block_on(client.cancel(&known, (&request.subject_request_id, report.request_status), now())).unwrap();
    });
    for (outcome, progress) in [(Outcome::UnderWay, Progress::Accepted), (Outcome::Completed, Progress::Done)] {
        let report = asking(&Processor::at(outcome), |client| {
            block_on(client.status(&cached(), &RequestId::of(CASE, &domain(), 1), now())).unwrap()
        });
        assert_eq!(report.request_status.progress(), progress);
    }
}

#[test]
fn a_client_takes_no_answer_that_was_changed_on_the_way() {
    let id = RequestId::of(CASE, &domain(), 1);
    let status = |wrong: fn(Response<Bytes>) -> Response<Bytes>| {
        let processor = Processor { wrong, ..Processor::at(Outcome::UnderWay) };
        asking(&processor, |client| block_on(client.status(&cached(), &id, now())).unwrap_err())
    };
    let error = status(|response| {
        let text = String::from_utf8(response.body().to_vec()).unwrap().replace("in_progress", "completed");
        response.map(|_| Bytes::from(text))
    });
    assert!(matches!(error, ClientError::Forged(Forged::Signature)), "{error}");
    let error = status(|response| {
        let (mut parts, body) = response.into_parts();
        parts.status = StatusCode::SERVICE_UNAVAILABLE;
        Response::from_parts(parts, body)
    });
    assert!(matches!(error, ClientError::Later(_)), "{error}");
    let error = status(|response| {
        let (mut parts, body) = response.into_parts();
        parts.status = StatusCode::NOT_FOUND;
        Response::from_parts(parts, body)
    });
    assert!(matches!(error, ClientError::NotFound), "{error}");
}

#[test]
fn an_answer_about_another_request_does_not_count() {
    let other = RequestId::of(CASE, &domain(), 2);
    let processor = Processor::at(Outcome::Completed);
    let error = asking(&processor, |client| block_on(client.status(&cached(), &other, now())).unwrap_err());
    assert!(matches!(error, ClientError::OtherRequest), "{error}");
}

#[test]
fn what_is_worked_on_is_not_cancelled() {
    let id = RequestId::of(CASE, &domain(), 1);
    let cancel = |processor: &Processor, last| {
        asking(processor, |client| block_on(client.cancel(&cached(), (&id, last), now())).unwrap_err())
    };
    let processor = Processor::at(Outcome::UnderWay);
    assert!(matches!(cancel(&processor, Status::InProgress), ClientError::TooLate));
    assert!(processor.asked.lock().unwrap().is_empty(), "it is not even asked");
    assert!(matches!(cancel(&processor, Status::Pending), ClientError::TooLate));
}

#[test]
fn a_certificate_from_another_host_is_not_fetched() {
    let processor = Processor {
        wrong: |response| {
            let text = String::from_utf8(response.body().to_vec()).unwrap();
            response.map(|_| Bytes::from(text.replace("https://dsr.example.com/cert", "https://dsr.example.net/cert")))
        },
        ..Processor::at(Outcome::Waiting)
    };
    let error = asking(&processor, |client| block_on(client.discover(now())).unwrap_err());
    assert!(matches!(error, ClientError::Forged(Forged::CertificateDomain)), "{error}");
    assert_eq!(processor.asked.lock().unwrap().len(), 1);
}

#[test]
fn an_unknown_status_never_means_done() {
    for word in ["done", "COMPLETED", "complete", "", "finished"] {
        let text = format!(
            r#"{{"controller_id":"c","expected_completion_time":"2027-02-01T00:00:00Z","more":[1],
                "subject_request_id":"{}","request_status":"{word}"}}"#,
            RequestId::of(CASE, &domain(), 1)
        );
        let report: StatusReport = serde_json::from_str(&text).unwrap();
        assert_eq!(report.request_status.progress(), Progress::Unclear, "{word}");
        assert!(!report.request_status.is_final());
        assert!(serde_json::to_string(&report).is_err(), "what is not known is not written");
    }
    assert_eq!(Status::Cancelled.progress(), Progress::Refused);
}

#[test]
fn a_discovery_is_believed_for_a_day_and_fetched_again_at_most_hourly() {
    let known = cached();
    let at = |hours| now() + SignedDuration::from_hours(hours);
    assert!(known.is_fresh(at(23)) && !known.is_fresh(at(24)) && !known.is_fresh(at(-1)));
    assert!(!known.may_refetch(now()) && known.may_refetch(at(1)) && known.may_refetch(at(-1)));
}

#[test]
fn a_status_is_asked_for_less_and_less_often() {
    let hours: Vec<i64> = (0..7).map(|asked| next_poll(asked, now()).duration_since(now()).as_hours()).collect();
    assert_eq!(hours, [1, 2, 4, 8, 16, 24, 24]);
    assert_eq!(next_poll(u32::MAX, now()).duration_since(now()).as_hours(), 24);
    let report = asking(&Processor::at(Outcome::UnderWay), |client| {
        block_on(client.status(&cached(), &RequestId::of(CASE, &domain(), 1), now())).unwrap()
    });
    assert!(!is_overdue(&report, now()) && is_overdue(&report, now() + SignedDuration::from_hours(25)));
}
