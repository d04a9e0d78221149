//! The `preauthcode` function: API Gateway events (REST and HTTP API, function URLs) and direct
//! invocations, one code each.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lambda_http::http::Method;
use lambda_http::request::RequestContext;
use lambda_http::{Body, Request, RequestExt as _, Response};
use serde_json::json;
use tokio::time::{Instant, timeout_at};
use tracing::Instrument as _;

use super::response::{FunctionError, IssuedCodeBody, json_response, problem_response};
use super::{Invocation, failure, issue_request};
use crate::platform::{IssuedCode, Issuer, Problem, ProblemCode, Role, Services, TokenProvider};
use crate::telemetry::metric::{self, Unit};

/// The path, below whatever stage or base path API Gateway puts before it.
const PATH: &str = "preauthcode";

/// How long after the deadline the work is given up, should something below not keep it. Less than what
/// is kept for the answer.
const GRACE: Duration = Duration::from_millis(200);

/// The function, for as long as its environment lives.
pub struct PreAuthCodeHandler {
    services: Services,
    issuer: Issuer,
    warm: AtomicBool,
}

impl PreAuthCodeHandler {
    /// The function on these means.
    #[must_use]
    pub fn new(services: Services) -> Arc<Self> {
        let issuer = Issuer::new(services.clone(), Role::Caller);
        Arc::new(Self { services, issuer, warm: AtomicBool::new(false) })
    }

    /// The token of this function: for warming up.
    #[must_use]
    pub const fn tokens(&self) -> &TokenProvider {
        self.issuer.tokens()
    }

    /// Answers one event. Over HTTP every failure is an answer; on direct invocation it is an error.
    ///
    /// # Errors
    /// On direct invocation, when no code could be issued.
    pub async fn handle(self: Arc<Self>, request: Request) -> Result<Response<Body>, FunctionError> {
        let invocation = Invocation::of(&request);
        let direct = matches!(request.request_context_ref(), Some(RequestContext::PassThrough));
        let span = tracing::info_span!("request", request_id = invocation.request_id, direct);
        let request_id = invocation.request_id.clone();
        // A task of its own, so that a panic becomes an answer too.
        let work = tokio::spawn(self.clone().answer(request, direct, invocation).instrument(span));
        let metrics = &self.services.metrics;
        let result = work.await.unwrap_or_else(|_panicked| Err(failure::panicked(metrics)));
        match result {
            Ok(code) => Ok(json_response(&IssuedCodeBody::from(&code))),
            Err(problem) if direct => Err(failure::function_error(metrics, &problem, &request_id)),
            Err(problem) => Ok(problem_response(&problem, &request_id)),
        }
    }

    async fn answer(
        self: Arc<Self>,
        request: Request,
        direct: bool,
        invocation: Invocation,
    ) -> Result<IssuedCode, Box<Problem>> {
        let started = Instant::now();
        let cold = !self.warm.swap(true, Ordering::Relaxed);
        if cold {
            self.services.metrics.count(metric::COLD_START);
        }
        let result = async {
            if !direct {
                routed(&request)?;
            }
            let request = issue_request::parse(request.body().as_ref())?;
            let work = self.issuer.issue(&request, invocation.deadline);
            let last = invocation.deadline + GRACE;
            timeout_at(last, work).await.unwrap_or_else(|_elapsed| Err(Problem::timeout()))
        }
        .await;
        let duration_ms = started.elapsed().as_secs_f64() * 1000.0;
        match &result {
            Ok(code) => self.log_issued(code, duration_ms, cold),
            Err(problem) => self.log_failed(problem, duration_ms, cold),
        }
        result
    }

    fn log_issued(&self, code: &IssuedCode, duration_ms: f64, cold: bool) {
        self.services.metrics.put(
            metric::CODE_ISSUED,
            Unit::Count,
            1.0,
            &[("component_appid", json!(code.component_appid))],
        );
        tracing::info!(
            component_appid = code.component_appid,
            code_fingerprint = code.code_fingerprint,
            expires_in_s = code.expires_in,
            reference = code.reference,
            cold_start = cold,
            duration_ms,
            "issued a pre-auth code"
        );
    }

    fn log_failed(&self, problem: &Problem, duration_ms: f64, cold: bool) {
        failure::count(&self.services.metrics, problem);
        // What a caller sent wrongly is quoted in the detail, so it stays out of the log.
        let detail = (problem.code != ProblemCode::RequestInvalid).then_some(problem.detail.as_str());
        tracing::warn!(
            code = problem.code.as_str(),
            detail,
            errcode = problem.errcode,
            rid = problem.rid,
            client_ip = problem.client_ip,
            retry_after_s = problem.retry_after,
            cold_start = cold,
            duration_ms,
            "no pre-auth code was issued"
        );
    }
}

fn routed(request: &Request) -> Result<(), Box<Problem>> {
    // A stage or a custom domain's base path may stand before the last segment.
    let path = request.raw_http_path().trim_end_matches('/');
    if path.rsplit('/').next() != Some(PATH) {
        return Err(Problem::new(ProblemCode::RequestNotFound, format!("the path is /{PATH}")));
    }
    if request.method() != Method::POST {
        return Err(Problem::new(ProblemCode::RequestMethodNotAllowed, format!("/{PATH} takes POST")));
    }
    Ok(())
}
