//! The parts of an invocation that are the same in all four functions: the deadline, the span with the request id,
//! the cold start, the task that turns a panic into an answer, one log line at the end, and the metrics of a failure.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use lambda_http::request::RequestContext;
use lambda_http::{Context, Request, RequestExt as _};
use serde_json::json;
use tokio::time::{Instant, timeout_at};
use tracing::field::Empty;
use tracing::{Instrument as _, Span};

use crate::platform::problem::texts;
use crate::platform::{Problem, ProblemCode, Result};
use crate::telemetry::Metrics;
use crate::telemetry::metric::{self, Unit};

/// Time for sending the answer before Lambda ends the invocation.
const ANSWER_RESERVE: Duration = Duration::from_millis(500);

/// The longest time for an invocation, even if Lambda allows more: API Gateway ends a request after 29 s.
const LONGEST: Duration = Duration::from_secs(25);

/// The time for an invocation outside Lambda, as in the local service and under an emulator.
const DEFAULT: Duration = Duration::from_secs(12);

/// Work that has not ended this long after its deadline is stopped with `WeChat.Timeout`, for example if the
/// table or the secret does not answer. Most work ends by itself with a more exact problem. Shorter than
/// [`ANSWER_RESERVE`].
const GRACE: Duration = Duration::from_millis(200);

/// One execution environment of a function.
pub(super) struct Environment {
    pub(super) metrics: Metrics,
    warm: AtomicBool,
}

impl Environment {
    pub(super) const fn new(metrics: Metrics) -> Self {
        Self { metrics, warm: AtomicBool::new(false) }
    }

    /// Begins the invocation of a request.
    pub(super) fn begin_request(&self, request: &Request) -> Invocation {
        let direct = matches!(request.request_context_ref(), Some(RequestContext::PassThrough));
        self.begin(request.lambda_context_ref(), direct)
    }

    /// Begins an invocation. Outside Lambda there is no context.
    pub(super) fn begin(&self, context: Option<&Context>, direct: bool) -> Invocation {
        let cold_start = !self.warm.swap(true, Ordering::Relaxed);
        if cold_start {
            self.metrics.count(metric::COLD_START);
        }
        let request_id = context.map(|context| context.request_id.clone()).filter(|id| !id.is_empty());
        // Lambda's deadline is in the future. An emulator may send one in the past; it is ignored.
        let left = context.and_then(|context| context.deadline().duration_since(SystemTime::now()).ok());
        let started = Instant::now();
        Invocation {
            request_id: request_id.unwrap_or_else(|| uuid::Uuid::new_v4().to_string()),
            direct,
            cold_start,
            started,
            deadline: started + left.unwrap_or(DEFAULT).min(LONGEST).saturating_sub(ANSWER_RESERVE),
            metrics: self.metrics.clone(),
        }
    }
}

/// One invocation.
pub(super) struct Invocation {
    /// Lambda's request id; outside Lambda a new one.
    pub(super) request_id: String,
    /// Whether this is a direct invocation, not an HTTP request. Then a failure is a Lambda function error.
    pub(super) direct: bool,
    /// Whether it is the first in its environment.
    pub(super) cold_start: bool,
    /// When it began.
    pub(super) started: Instant,
    /// When the work must be done.
    pub(super) deadline: Instant,
    metrics: Metrics,
}

impl Invocation {
    /// Does the work, which is stopped shortly after the deadline. `log` writes the one log line of its result.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T>> + Send + 'static,
        log: impl FnOnce(&Result<T>),
    ) -> Result<T> {
        let Self { request_id, direct, cold_start, .. } = self;
        let span = tracing::info_span!(
            "invocation",
            request_id,
            direct,
            action = Empty,
            link_id = Empty,
            reference = Empty,
            cold_start = Empty,
            duration_ms = Empty
        );
        async {
            let work = timeout_at(self.deadline + GRACE, work);
            // A task of its own, so that a panic becomes an answer. The panic hook has logged its place.
            let result = match tokio::spawn(work.in_current_span()).await {
                Ok(Ok(result)) => result,
                // Stopped. Most work ends by itself before that, with a more exact problem.
                Ok(Err(_elapsed)) => Err(Problem::no_answer_in_time(ProblemCode::WeChatTimeout)),
                Err(_panicked) => Err(Problem::new(ProblemCode::Internal, ProblemCode::Internal.title())),
            };
            // Fields of the span, so that they are on the line that `log` writes.
            let duration_ms = self.started.elapsed().as_secs_f64() * 1000.0;
            Span::current().record("cold_start", cold_start).record("duration_ms", duration_ms);
            if *direct && result.is_err() {
                self.metrics.count_ago(metric::FUNCTION_ERROR, self.started.elapsed());
            }
            log(&result);
            result
        }
        .instrument(span)
        .await
    }

    /// Logs a failure in one line, and counts it in one line.
    ///
    /// `caused_by_anyone`: anyone on the Internet can cause this failure, any number of times. Then the log
    /// line has only the code, and the sum of failures, which alarms watch, does not count it.
    pub(super) fn failed(&self, problem: &Problem, message: &str, caused_by_anyone: bool) {
        let by_code = format!("{}.{}", metric::FAILURE, problem.code);
        let mut names = vec![by_code.as_str()];
        if !caused_by_anyone {
            names.push(metric::FAILURE);
        }
        if matches!(problem.code, ProblemCode::PushSignatureRejected | ProblemCode::PushStale) {
            names.push(metric::SIGNATURE_REFUSED);
        }
        let Problem { errcode, rid, client_ip, .. } = problem;
        let properties = [("errcode", json!(errcode)), ("rid", json!(rid)), ("client_ip", json!(client_ip))];
        self.metrics.put(&names, Unit::Count, 1.0, &properties);

        let explained = (!caused_by_anyone).then_some(problem);
        // The detail of a bad request may repeat what the caller sent.
        let detailed = explained.filter(|problem| problem.code != ProblemCode::RequestInvalid);
        tracing::warn!(
            code = problem.code.as_str(),
            detail = detailed.map(|problem| problem.detail.as_str()),
            errcode,
            rid,
            client_ip,
            retry_after_s = problem.retry_after,
            remedy = explained.and_then(|problem| problem.remedy.as_deref()),
            "{message}"
        );
    }
}

/// Checks a request's path and method. A stage or a base path may come before `path`. `methods` is the value of the
/// `Allow` header.
pub(super) fn route(request: &Request, path: &str, methods: &str) -> Result<()> {
    if !request.raw_http_path().trim_end_matches('/').ends_with(path) {
        return Err(Problem::new(ProblemCode::RequestNotFound, texts::NO_SUCH_PATH.with(&[("path", &path)])));
    }
    if !methods.split(", ").any(|method| method == request.method().as_str()) {
        let detail = texts::NO_SUCH_METHOD.with(&[("path", &path), ("methods", &methods)]);
        return Err(Problem::new(ProblemCode::RequestMethodNotAllowed, detail));
    }
    Ok(())
}
