//! Answers and problems as JSON, as HTTP and as Lambda function errors: the one place where a
//! problem's code becomes a status.

use lambda_http::http::{HeaderValue, StatusCode, header};
use lambda_http::{Body, Response};
use lambda_runtime::Diagnostic;
use secrecy::ExposeSecret as _;
use serde::Serialize;

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
        let (status, title) = status(problem.code);
        Self {
            kind: format!("urn:wechat-preauth:problem:{}", problem.code),
            title,
            status: status.as_u16(),
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

/// The HTTP status and the title of a code.
#[must_use]
pub const fn status(code: ProblemCode) -> (StatusCode, &'static str) {
    match code {
        ProblemCode::RequestInvalid => (StatusCode::BAD_REQUEST, "The request is not valid"),
        ProblemCode::RequestNotFound => (StatusCode::NOT_FOUND, "There is nothing at this path"),
        ProblemCode::RequestMethodNotAllowed => {
            (StatusCode::METHOD_NOT_ALLOWED, "This path does not take this method")
        }
        ProblemCode::WeChatBusy => (StatusCode::SERVICE_UNAVAILABLE, "WeChat is busy"),
        ProblemCode::WeChatTokenRejected => {
            (StatusCode::SERVICE_UNAVAILABLE, "WeChat refuses the component access token")
        }
        ProblemCode::WeChatRateLimited => {
            (StatusCode::TOO_MANY_REQUESTS, "WeChat's quota for this minute is used up")
        }
        ProblemCode::WeChatDailyQuotaExhausted => {
            (StatusCode::TOO_MANY_REQUESTS, "WeChat's quota for this day is used up")
        }
        ProblemCode::WeChatUnauthorized => {
            (StatusCode::BAD_GATEWAY, "WeChat does not open this API to the platform")
        }
        ProblemCode::WeChatRequestRejected => (StatusCode::BAD_GATEWAY, "WeChat could not read our request"),
        ProblemCode::WeChatError => (StatusCode::BAD_GATEWAY, "WeChat refused"),
        ProblemCode::WeChatUnreachable => (StatusCode::BAD_GATEWAY, "WeChat gave no usable answer"),
        ProblemCode::WeChatTimeout => (StatusCode::GATEWAY_TIMEOUT, "WeChat did not answer in time"),
        ProblemCode::ConfigEgressIpNotRegistered => {
            (StatusCode::BAD_GATEWAY, "The egress IP is not in WeChat's whitelist")
        }
        ProblemCode::ConfigAppIdRejected => (StatusCode::BAD_GATEWAY, "WeChat refuses the component appid"),
        ProblemCode::ConfigAppSecretRejected => {
            (StatusCode::BAD_GATEWAY, "WeChat refuses the component appsecret")
        }
        ProblemCode::TicketMissing => (StatusCode::SERVICE_UNAVAILABLE, "No verify ticket has arrived"),
        ProblemCode::TicketRejected => (StatusCode::SERVICE_UNAVAILABLE, "WeChat refuses the verify ticket"),
        ProblemCode::TokenMissing => {
            (StatusCode::SERVICE_UNAVAILABLE, "No component access token was handed over")
        }
        ProblemCode::TokenPending => {
            (StatusCode::SERVICE_UNAVAILABLE, "A component access token is being obtained")
        }
        ProblemCode::SecretsUnavailable => {
            (StatusCode::SERVICE_UNAVAILABLE, "The credentials cannot be read")
        }
        ProblemCode::SecretsInvalid => {
            (StatusCode::INTERNAL_SERVER_ERROR, "The credentials secret is not usable")
        }
        ProblemCode::StateUnavailable => (StatusCode::SERVICE_UNAVAILABLE, "The state table cannot be used"),
        ProblemCode::PushSignatureRejected => {
            (StatusCode::UNAUTHORIZED, "The push is not signed with a known Token")
        }
        ProblemCode::PushStale => (StatusCode::UNAUTHORIZED, "The push was not sent just now"),
        ProblemCode::PushMalformed => (StatusCode::BAD_REQUEST, "This is not an encrypted push"),
        ProblemCode::PushUndecryptable => (StatusCode::BAD_REQUEST, "The push cannot be decrypted"),
        ProblemCode::PushUnreadable => (StatusCode::BAD_REQUEST, "The push's message cannot be read"),
        ProblemCode::EventsUnavailable => (StatusCode::SERVICE_UNAVAILABLE, "The event bus cannot be used"),
        ProblemCode::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong in this service"),
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
    *response.status_mut() = status(problem.code).0;
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
