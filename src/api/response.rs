//! Answers and problems as JSON, over HTTP and as Lambda function errors. Only here a problem's code becomes a status.

use lambda_http::http::{HeaderValue, header};
use lambda_http::{Body, Response};
use lambda_runtime::Diagnostic;
use secrecy::ExposeSecret as _;
use serde::Serialize;

use crate::platform::problem::texts;
use crate::platform::{AuthorizationUrls, IssuedCode, Problem, ProblemCode};

/// Media type of problems (RFC 9457).
const PROBLEM_JSON: &str = "application/problem+json";

/// `Retry-After` of every generic 503, in seconds.
const GENERIC_RETRY_AFTER: i64 = 5;

/// An issued code, as callers see it.
#[derive(Serialize)]
pub struct IssuedCodeBody<'a> {
    component_appid: &'a str,
    pre_auth_code: &'a str,
    expires_in: i64,
    expires_at: &'a str,
    code_fingerprint: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization_urls: Option<&'a AuthorizationUrls>,
}

impl<'a> From<&'a IssuedCode> for IssuedCodeBody<'a> {
    fn from(code: &'a IssuedCode) -> Self {
        Self {
            component_appid: &code.component_appid,
            pre_auth_code: code.pre_auth_code.expose_secret(),
            expires_in: code.expires_in,
            expires_at: &code.expires_at,
            code_fingerprint: &code.code_fingerprint,
            reference: code.reference.as_deref(),
            authorization_urls: code.authorization_urls.as_ref(),
        }
    }
}

/// A problem, as callers see it: RFC 9457 with additional members.
#[derive(Default, Serialize)]
struct ProblemBody<'a> {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<ProblemCode>,
    retryable: bool,
    request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    errcode: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    errmsg: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_ip: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<&'a str>,
}

impl<'a> ProblemBody<'a> {
    fn new(problem: &'a Problem, request_id: &'a str) -> Self {
        Self {
            kind: format!("urn:wechat-preauth:problem:{}", problem.code),
            title: texts::title(problem.code).get(),
            status: status(problem.code),
            detail: &problem.detail,
            code: Some(problem.code),
            retryable: problem.code.retryable(),
            request_id,
            retry_after: problem.retry_after,
            errcode: problem.errcode,
            errmsg: problem.errmsg.as_deref(),
            rid: problem.rid.as_deref(),
            client_ip: problem.client_ip.as_deref(),
            remedy: problem.remedy.as_deref(),
        }
    }

    /// A failure without its cause. The title is the status's phrase, as RFC 9457 requires with `about:blank`.
    fn generic(retryable: bool, request_id: &'a str) -> Self {
        let (status, title) = match retryable {
            true => (503, "Service Unavailable"),
            false => (500, "Internal Server Error"),
        };
        Self {
            kind: "about:blank".to_owned(),
            title,
            status,
            detail: "the request failed; the service's log has the reason under request_id",
            retryable,
            request_id,
            retry_after: retryable.then_some(GENERIC_RETRY_AFTER),
            ..Self::default()
        }
    }

    fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    fn response(&self) -> Response<Body> {
        let mut response = response(self.status, PROBLEM_JSON, self.to_json());
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// The HTTP status of a code.
#[must_use]
pub const fn status(code: ProblemCode) -> u16 {
    use ProblemCode::*;
    match code {
        RequestInvalid | PushMalformed | PushUndecryptable | PushUnreadable => 400,
        PushSignatureRejected | PushStale => 401,
        RequestNotFound => 404,
        RequestMethodNotAllowed => 405,
        WeChatRateLimited | WeChatDailyQuotaExhausted => 429,
        SecretsInvalid | Internal => 500,
        ConfigEgressIpNotRegistered | ConfigAppIdRejected | ConfigAppSecretRejected => 502,
        WeChatUnauthorized | WeChatRequestRejected | WeChatError | WeChatUnreachable => 502,
        WeChatBusy | WeChatTokenRejected | TicketMissing | TicketRejected => 503,
        TokenMissing | TokenPending | SecretsUnavailable | StateUnavailable | EventsUnavailable => 503,
        WeChatTimeout => 504,
    }
}

/// A 200 with JSON.
#[must_use]
pub fn json_response(answer: &impl Serialize) -> Response<Body> {
    response(200, "application/json", serde_json::to_string(answer).unwrap_or_default())
}

/// A 200 with plain text.
#[must_use]
pub fn text_response(text: &str) -> Response<Body> {
    response(200, "text/plain", text.to_owned())
}

/// A problem over HTTP. `methods` are those that the path takes.
#[must_use]
pub fn problem_response(problem: &Problem, request_id: &str, methods: &'static str) -> Response<Body> {
    let mut response = ProblemBody::new(problem, request_id).response();
    if problem.code == ProblemCode::RequestMethodNotAllowed {
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(methods));
    }
    response
}

/// A failure of the service over a public route. The answer does not show the cause: it is a 503 if the same request
/// can succeed later, else a 500.
#[must_use]
pub fn generic_response(retryable: bool, request_id: &str) -> Response<Body> {
    ProblemBody::generic(retryable, request_id).response()
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
    #[must_use]
    pub fn new(problem: &Problem, request_id: &str) -> Self {
        Self { code: problem.code, message: ProblemBody::new(problem, request_id).to_json() }
    }
}

impl From<FunctionError> for Diagnostic {
    fn from(error: FunctionError) -> Self {
        Self { error_type: error.code.as_str().to_owned(), error_message: error.message }
    }
}
