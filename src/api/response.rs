//! Answers and problems as JSON, over HTTP and as Lambda function errors.

use lambda_http::http::{HeaderValue, StatusCode, header};
use lambda_http::{Body, Response};
use lambda_runtime::Diagnostic;
use secrecy::ExposeSecret as _;
use serde::Serialize;
use serde_json::json;

use crate::platform::problem::texts;
use crate::platform::{IssuedCode, Problem, ProblemCode};

/// Media type of problems (RFC 9457).
const PROBLEM_JSON: &str = "application/problem+json";

/// `Retry-After` of every generic 503, in seconds.
const GENERIC_RETRY_AFTER: i64 = 5;

/// A problem, as callers see it: RFC 9457 with additional members.
#[derive(Serialize)]
struct ProblemBody<'a> {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    #[serde(flatten)]
    problem: &'a Problem,
    retryable: bool,
    request_id: &'a str,
}

fn problem_json(problem: &Problem, request_id: &str) -> String {
    let code = problem.code;
    let body = ProblemBody {
        kind: format!("urn:wechat-preauth:problem:{code}"),
        title: code.title().get(),
        status: code.status(),
        problem,
        retryable: code.retryable(),
        request_id,
    };
    serde_json::to_string(&body).unwrap_or_default()
}

/// A 200 with an issued code. `IssuedCode` does not serialize `pre_auth_code`, so it is added here.
pub fn code_response(code: &IssuedCode) -> Response<Body> {
    #[derive(Serialize)]
    struct CodeBody<'a> {
        pre_auth_code: &'a str,
        #[serde(flatten)]
        code: &'a IssuedCode,
    }
    json_response(&CodeBody { pre_auth_code: code.pre_auth_code.expose_secret(), code })
}

/// A 200 with JSON.
pub fn json_response(answer: &impl Serialize) -> Response<Body> {
    response(200, "application/json", serde_json::to_string(answer).unwrap_or_default())
}

/// A 200 with plain text.
pub fn text_response(text: &str) -> Response<Body> {
    response(200, "text/plain", text.to_owned())
}

/// A problem over HTTP. `methods` are the methods that the path accepts: the `Allow` header of a 405.
pub fn problem_response(problem: &Problem, request_id: &str, methods: &'static str) -> Response<Body> {
    let body = problem_json(problem, request_id);
    let mut response = failure(problem.code.status(), problem.retry_after, body);
    if problem.code == ProblemCode::RequestMethodNotAllowed {
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(methods));
    }
    response
}

/// A failure of the service over a public route. The answer does not show the cause: it is a 503 if the same request
/// can succeed later, else a 500. The title is the status's phrase, as RFC 9457 requires with `about:blank`.
pub fn generic_response(retryable: bool, request_id: &str) -> Response<Body> {
    let status = if retryable { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::INTERNAL_SERVER_ERROR };
    let mut body = json!({
        "type": "about:blank",
        "title": status.canonical_reason(),
        "status": status.as_u16(),
        "detail": texts::GENERIC.get(),
        "retryable": retryable,
        "request_id": request_id,
    });
    if retryable {
        body["retry_after"] = GENERIC_RETRY_AFTER.into();
    }
    failure(status.as_u16(), retryable.then_some(GENERIC_RETRY_AFTER), body.to_string())
}

fn failure(status: u16, retry_after: Option<i64>, body: String) -> Response<Body> {
    let mut response = response(status, PROBLEM_JSON, body);
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// A response that nobody may cache.
fn response(status: u16, content_type: &str, body: String) -> Response<Body> {
    let response = Response::builder().status(status);
    let response =
        response.header(header::CONTENT_TYPE, content_type).header(header::CACHE_CONTROL, "no-store");
    response.body(Body::Text(body)).unwrap_or_default()
}

/// A failure of a direct invocation: `errorType` is the code, `errorMessage` the problem as JSON text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionError {
    /// The problem's code.
    pub code: ProblemCode,
    /// The problem object as JSON text.
    pub message: String,
}

impl FunctionError {
    /// The problem of this invocation.
    pub fn new(problem: &Problem, request_id: &str) -> Self {
        Self { code: problem.code, message: problem_json(problem, request_id) }
    }
}

impl From<FunctionError> for Diagnostic {
    fn from(error: FunctionError) -> Self {
        Self { error_type: error.code.as_str().to_owned(), error_message: error.message }
    }
}
