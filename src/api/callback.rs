//! The `callback` function: WeChat's pushes over API Gateway (REST and HTTP API), pushes that another receiver forwards
//! by direct invocation, and the check of the push keys, which only direct invocation can ask for.
//!
//! WeChat expects `success` in plain text within five seconds. The route is public: an answer over HTTP shows nothing
//! about the inside of the service, and a stranger's request costs one short log line.

use std::sync::Arc;
use std::time::Duration;

use lambda_http::http::Method;
use lambda_http::{Body, Request, Response};
use serde_json::json;
use tokio::time::Instant;

use super::handler::{Environment, Invocation, route};
use super::push_request;
use super::response::{FunctionError, generic_response, json_response, problem_response, text_response};
use crate::platform::push::{accept_push, check_push_keys};
use crate::platform::{AcceptedPush, Check, CheckStatus, Problem, ProblemCode, PushServices, Result};

const PATH: &str = "/wechat/callback";
const METHODS: &str = "GET, POST";

/// The answer that WeChat expects.
const SUCCESS: &str = "success";

/// How long a push may take, start-up included. WeChat waits 5 s; the rest is for the gateway, and for Lambda's own
/// part of a cold start.
const TIME_FOR_A_PUSH: Duration = Duration::from_millis(3500);

/// The function's handler, one for each execution environment.
pub struct CallbackHandler {
    environment: Environment,
    services: PushServices,
    start_up: Duration,
}

impl CallbackHandler {
    /// Creates the handler from these services. `start_up` is how long the start took: the first push has waited for
    /// it.
    pub fn new(services: PushServices, start_up: Duration) -> Arc<Self> {
        let environment = Environment::new(services.metrics.clone());
        Arc::new(Self { environment, services, start_up })
    }

    /// Answers one event. Over HTTP every failure is an answer; on direct invocation it is an error.
    ///
    /// # Errors
    /// On direct invocation, when the push was not accepted, or the event is neither a push nor a known action.
    pub async fn handle(
        self: Arc<Self>,
        request: Request,
    ) -> std::result::Result<Response<Body>, FunctionError> {
        let invocation = self.environment.begin_request(&request);
        let direct = invocation.direct;
        let waited = if invocation.cold_start { self.start_up } else { Duration::ZERO };
        let deadline = invocation.started + TIME_FOR_A_PUSH.saturating_sub(waited);
        let deadline = deadline.min(invocation.deadline);
        let work = async move { self.answer(request, direct, deadline).await };
        match invocation.run(work, |result| log(result, &invocation)).await {
            Ok(Done::Accepted(_)) if direct => Ok(json_response(&json!({ "result": SUCCESS }))),
            Ok(Done::Accepted(_)) => Ok(text_response(SUCCESS)),
            Ok(Done::Checked(check)) => Ok(json_response(&check)),
            Ok(Done::Probed) => Ok(text_response("ok")),
            Err(problem) if direct => Err(FunctionError::new(&problem, &invocation.request_id)),
            Err(problem) => Ok(public_response(*problem, &invocation.request_id)),
        }
    }

    async fn answer(&self, request: Request, direct: bool, deadline: Instant) -> Result<Done> {
        let push = if direct {
            if push_request::asks_for_check(request.body().as_ref()) {
                return Ok(Done::Checked(check_push_keys(&self.services, deadline).await));
            }
            push_request::from_direct(request.body().as_ref())?
        } else {
            route(&request, PATH, METHODS)?;
            if request.method() == Method::GET {
                return Ok(Done::Probed);
            }
            push_request::from_http(request)
        };
        accept_push(&self.services, &push, deadline).await.map(Done::Accepted)
    }
}

/// What was done with a request.
enum Done {
    Accepted(AcceptedPush),
    /// The push keys were checked.
    Checked(Check),
    /// A GET was answered.
    Probed,
}

fn log(result: &Result<Done>, invocation: &Invocation) {
    match result {
        Ok(Done::Accepted(AcceptedPush::Ticket { create_time, newest })) => {
            tracing::info!(create_time, newest, "a ticket arrived");
        }
        Ok(Done::Accepted(AcceptedPush::Event { info_type, authorizer_appid, code_fingerprint })) => {
            tracing::info!(info_type, authorizer_appid, code_fingerprint, "an event was forwarded");
        }
        // A misrouted message is logged with its remedy where it is recognized.
        Ok(Done::Accepted(AcceptedPush::Misrouted) | Done::Probed) => {}
        Ok(Done::Checked(check)) => {
            tracing::info!(
                ok = check.status == CheckStatus::Ok,
                detail = check.detail,
                "checked the push keys"
            );
        }
        Err(problem) => {
            let caused_by_anyone = !invocation.direct && anyone_can_cause(problem.code);
            invocation.failed(problem, "the push was not accepted", caused_by_anyone);
        }
    }
}

/// Whether anyone on the Internet can cause this, without the Token and without a mistake of the operator. An
/// oversized body and a wrong query are `Push.Malformed`.
const fn anyone_can_cause(code: ProblemCode) -> bool {
    matches!(
        code,
        ProblemCode::RequestNotFound
            | ProblemCode::RequestMethodNotAllowed
            | ProblemCode::PushMalformed
            | ProblemCode::PushSignatureRejected
    )
}

/// A problem over HTTP, where anyone may read it. It shows only what is wrong with the request. The details of a wrong
/// signature and of all later checks also describe the configuration, so the title replaces them.
fn public_response(mut problem: Problem, request_id: &str) -> Response<Body> {
    if problem.code.status() >= 500 {
        return generic_response(problem.code.retryable(), request_id);
    }
    problem.remedy = None;
    if problem.code == ProblemCode::PushSignatureRejected || !anyone_can_cause(problem.code) {
        problem.detail = problem.code.title().into();
    }
    problem_response(&problem, request_id, METHODS)
}
