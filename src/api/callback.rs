//! The `callback` function: WeChat's pushes through API Gateway (REST and HTTP API), and handed on in
//! direct invocations.
//!
//! WeChat wants `success` in plain text and gives up after five seconds. The route is public, so an
//! answer over HTTP tells a stranger nothing of what is wrong inside; the log does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lambda_http::http::{HeaderValue, Method, header};
use lambda_http::request::RequestContext;
use lambda_http::{Body, Request, RequestExt as _, Response};
use serde_json::json;
use tokio::time::Instant;
use tracing::Instrument as _;

use super::response::{FunctionError, json_response, problem_response, status};
use super::{Invocation, failure, push_request};
use crate::platform::push::accept_push;
use crate::platform::{AcceptedPush, Problem, ProblemCode, PushServices, Result};
use crate::telemetry::metric;

/// The path, below whatever stage or base path API Gateway puts before it.
const PATH: &str = "/wechat/callback";

/// The methods that the path takes, as the `Allow` header names them.
const METHODS: &str = "GET, POST";

/// What WeChat wants to read.
const SUCCESS: &str = "success";

/// How long a push may take, start-up included. It must be answered within 4 s of its arrival (WeChat
/// waits 5 s); the rest is for the gateway, and for Lambda's own part of a cold start.
const TIME_FOR_A_PUSH: Duration = Duration::from_millis(3500);

/// The function, for as long as its environment lives.
pub struct CallbackHandler {
    services: PushServices,
    start_up: Duration,
    warm: AtomicBool,
}

/// What a request comes to.
enum Done {
    Accepted,
    /// Somebody looked whether there is something here.
    Greeted,
}

impl CallbackHandler {
    /// The function on these means. `start_up` is how long starting took: the push that caused it has
    /// been waiting for as long.
    #[must_use]
    pub fn new(services: PushServices, start_up: Duration) -> Arc<Self> {
        Arc::new(Self { services, start_up, warm: AtomicBool::new(false) })
    }

    /// Answers one event. Over HTTP every failure is an answer; on direct invocation it is an error.
    ///
    /// # Errors
    /// On direct invocation, when the push was not taken in.
    pub async fn handle(
        self: Arc<Self>,
        request: Request,
    ) -> std::result::Result<Response<Body>, FunctionError> {
        let invocation = Invocation::of(&request);
        let direct = matches!(request.request_context_ref(), Some(RequestContext::PassThrough));
        let span = tracing::info_span!("push", request_id = invocation.request_id, direct);
        let request_id = invocation.request_id.clone();
        // A task of its own, so that a panic becomes an answer too.
        let work = tokio::spawn(self.clone().answer(request, direct, invocation).instrument(span));
        let metrics = &self.services.metrics;
        let result = work.await.unwrap_or_else(|_panicked| Err(failure::panicked(metrics)));
        match result {
            Ok(Done::Accepted) if direct => Ok(json_response(&json!({ "result": SUCCESS }))),
            Ok(Done::Accepted) => Ok(text_response(SUCCESS)),
            Ok(Done::Greeted) => Ok(text_response("ok")),
            Err(problem) if direct => Err(failure::function_error(metrics, &problem, &request_id)),
            Err(problem) => Ok(refusal(&problem, &request_id)),
        }
    }

    async fn answer(self: Arc<Self>, request: Request, direct: bool, invocation: Invocation) -> Result<Done> {
        let started = Instant::now();
        let cold = !self.warm.swap(true, Ordering::Relaxed);
        let mut time = TIME_FOR_A_PUSH;
        if cold {
            self.services.metrics.count(metric::COLD_START);
            time = time.saturating_sub(self.start_up);
        }
        let deadline = invocation.deadline.min(started + time);
        let result = self.take(&request, direct, deadline).await;
        let duration_ms = started.elapsed().as_secs_f64() * 1000.0;
        match result {
            Ok(None) => Ok(Done::Greeted),
            Ok(Some(taken)) => {
                log_taken(&taken, duration_ms, cold);
                Ok(Done::Accepted)
            }
            Err(problem) => {
                self.log_refused(&problem, direct, duration_ms, cold);
                Err(problem)
            }
        }
    }

    async fn take(&self, request: &Request, direct: bool, deadline: Instant) -> Result<Option<AcceptedPush>> {
        let arrived = if direct {
            push_request::from_direct(request.body().as_ref())?
        } else if routed(request)? == Method::GET {
            return Ok(None);
        } else {
            push_request::from_http(request)
        };
        accept_push(&self.services, &arrived, deadline).await.map(Some)
    }

    fn log_refused(&self, problem: &Problem, direct: bool, duration_ms: f64, cold: bool) {
        // What any stranger on the Internet can cause is counted by its code alone: the sum of failures
        // is what alarms watch. Who invokes directly is no stranger, so that always counts.
        if direct || !anyone_can_cause(problem.code) {
            failure::count(&self.services.metrics, problem);
        } else {
            self.services.metrics.count(&format!("{}.{}", metric::FAILURE, problem.code));
        }
        tracing::warn!(
            code = problem.code.as_str(),
            detail = problem.detail,
            remedy = problem.remedy,
            retry_after_s = problem.retry_after,
            cold_start = cold,
            duration_ms,
            "a push was not taken in"
        );
    }
}

fn log_taken(taken: &AcceptedPush, duration_ms: f64, cold: bool) {
    match taken {
        AcceptedPush::Ticket { create_time, newest } => {
            tracing::info!(create_time, newest, cold_start = cold, duration_ms, "a ticket arrived");
        }
        AcceptedPush::Event { info_type, authorizer_appid, code_fingerprint } => {
            tracing::info!(
                info_type,
                authorizer_appid,
                code_fingerprint,
                cold_start = cold,
                duration_ms,
                "an event was forwarded"
            );
        }
        // Logged with its remedy where it was decided.
        AcceptedPush::Misrouted => {}
    }
}

fn routed(request: &Request) -> Result<&Method> {
    // A stage or a custom domain's base path may stand before it.
    if !request.raw_http_path().trim_end_matches('/').ends_with(PATH) {
        return Err(Problem::new(ProblemCode::RequestNotFound, format!("the path is {PATH}")));
    }
    match request.method() {
        method if *method == Method::GET || *method == Method::POST => Ok(method),
        _ => Err(Problem::new(ProblemCode::RequestMethodNotAllowed, format!("{PATH} takes POST"))),
    }
}

/// Whether it takes neither WeChat nor our own mistake to cause this.
const fn anyone_can_cause(code: ProblemCode) -> bool {
    matches!(
        code,
        ProblemCode::RequestNotFound
            | ProblemCode::RequestMethodNotAllowed
            | ProblemCode::PushMalformed
            | ProblemCode::PushSignatureRejected
    )
}

fn text_response(text: &str) -> Response<Body> {
    let mut response = Response::new(Body::Text(text.to_owned()));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}

/// A problem over HTTP, where anyone may read it: what is wrong inside the service stays inside.
fn refusal(problem: &Problem, request_id: &str) -> Response<Body> {
    let mut shown = Problem { remedy: None, ..problem.clone() };
    if status(problem.code).is_server_error() {
        "the push could not be taken in; the log says why".clone_into(&mut shown.detail);
    }
    let mut response = problem_response(&shown, request_id);
    if let Some(allow) = response.headers_mut().get_mut(header::ALLOW) {
        *allow = HeaderValue::from_static(METHODS);
    }
    response
}
