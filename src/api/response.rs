//! Answers and problems as JSON, as HTTP and as Lambda function errors: the one place where a
//! problem's code becomes a status.

use lambda_http::http::{HeaderValue, StatusCode, header};
use lambda_http::{Body, Response};
use lambda_runtime::Diagnostic;
use secrecy::ExposeSecret as _;
use serde::Serialize;

use crate::platform::problem::texts;
use crate::platform::{AuthorizationUrls, IssuedCode, Problem, ProblemCode};

/// Media type of problems (RFC 9457).
const PROBLEM_JSON: &str = "application/problem+json";

/// A code, as callers see it.
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

/// A problem, as callers see it: RFC 9457 with members of our own.
#[derive(Debug, Serialize)]
pub struct ProblemBody<'a> {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    detail: &'a str,
    code: ProblemCode,
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
    /// The problem of this invocation.
    #[must_use]
    pub fn new(problem: &'a Problem, request_id: &'a str) -> Self {
        Self {
            kind: format!("urn:wechat-preauth:problem:{}", problem.code),
            title: texts::title(problem.code).get(),
            status: status(problem.code).as_u16(),
            detail: &problem.detail,
            code: problem.code,
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

    fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// The HTTP status of a code.
#[must_use]
pub const fn status(code: ProblemCode) -> StatusCode {
    match code {
        ProblemCode::RequestInvalid
        | ProblemCode::PushMalformed
        | ProblemCode::PushUndecryptable
        | ProblemCode::PushUnreadable => StatusCode::BAD_REQUEST,
        ProblemCode::PushSignatureRejected | ProblemCode::PushStale => StatusCode::UNAUTHORIZED,
        ProblemCode::RequestNotFound => StatusCode::NOT_FOUND,
        ProblemCode::RequestMethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        ProblemCode::WeChatRateLimited | ProblemCode::WeChatDailyQuotaExhausted => {
            StatusCode::TOO_MANY_REQUESTS
        }
        ProblemCode::SecretsInvalid | ProblemCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        ProblemCode::WeChatUnauthorized
        | ProblemCode::WeChatRequestRejected
        | ProblemCode::WeChatError
        | ProblemCode::WeChatUnreachable
        | ProblemCode::ConfigEgressIpNotRegistered
        | ProblemCode::ConfigAppIdRejected
        | ProblemCode::ConfigAppSecretRejected => StatusCode::BAD_GATEWAY,
        ProblemCode::WeChatBusy
        | ProblemCode::WeChatTokenRejected
        | ProblemCode::TicketMissing
        | ProblemCode::TicketRejected
        | ProblemCode::TokenMissing
        | ProblemCode::TokenPending
        | ProblemCode::SecretsUnavailable
        | ProblemCode::StateUnavailable
        | ProblemCode::EventsUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        ProblemCode::WeChatTimeout => StatusCode::GATEWAY_TIMEOUT,
    }
}

/// A 200 with JSON that nobody may cache.
#[must_use]
pub fn json_response(answer: &impl Serialize) -> Response<Body> {
    let mut response = Response::new(Body::Text(serde_json::to_string(answer).unwrap_or_default()));
    set(&mut response, header::CONTENT_TYPE, "application/json");
    set(&mut response, header::CACHE_CONTROL, "no-store");
    response
}

/// A problem over HTTP.
#[must_use]
pub fn problem_response(problem: &Problem, request_id: &str) -> Response<Body> {
    let answer = ProblemBody::new(problem, request_id);
    let mut response = Response::new(Body::Text(answer.to_json()));
    *response.status_mut() = status(problem.code);
    set(&mut response, header::CONTENT_TYPE, PROBLEM_JSON);
    set(&mut response, header::CACHE_CONTROL, "no-store");
    if let Some(seconds) = problem.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if problem.code == ProblemCode::RequestMethodNotAllowed {
        set(&mut response, header::ALLOW, "POST");
    }
    response
}

fn set(response: &mut Response<Body>, name: header::HeaderName, value: &'static str) {
    response.headers_mut().insert(name, HeaderValue::from_static(value));
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
