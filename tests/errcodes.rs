//! The simulator answers the code call and the mint call with every errcode of WeChat's tables. Each test checks what a
//! caller sees: status, code, Retry-After, remedy, errorType.

mod support;

use std::sync::Arc;

use lambda_http::http::HeaderMap;
use lambda_http::{Body, Request, RequestExt as _};
use serde_json::{Value, json};
use support::service::TestService;
use wechat_preauth::api::preauthcode::PreAuthCodeHandler;
use wechat_preauth::platform::Clock;
use wechat_preauth::wechat::ERRCODES;
use wechat_sim::{Endpoint, Fault, FaultKind};

/// errcode; status; code; Retry-After on the code call and on the mint call; what the remedy says.
type Row = (i64, u16, &'static str, Option<i64>, i64, Option<&'static str>);

const WHITELIST: Option<&str> = Some("bypasses the NAT gateway");
const APPID: Option<&str> = Some("Correct component_appid");
const SECRET: Option<&str> = Some("Correct component_appsecret");
const TICKET: Option<&str> = Some("start_push_ticket");
const FOREIGN: Option<&str> = Some("foreign_mint");

const ROWS: &[Row] = &[
    (-1, 503, "WeChat.Busy", Some(5), 15, None),
    (40001, 503, "WeChat.TokenRejected", Some(300), 15, FOREIGN),
    (40013, 502, "Config.AppIdRejected", None, 15, APPID),
    (40014, 503, "WeChat.TokenRejected", Some(300), 15, FOREIGN),
    (40091, 503, "Ticket.Rejected", Some(600), 600, TICKET),
    (40125, 502, "Config.AppSecretRejected", None, 15, SECRET),
    (40164, 502, "Config.EgressIpNotRegistered", None, 15, WHITELIST),
    (41001, 502, "WeChat.RequestRejected", None, 15, Some("bug")),
    (41002, 502, "Config.AppIdRejected", None, 15, APPID),
    (41004, 502, "Config.AppSecretRejected", None, 15, SECRET),
    (41018, 502, "Config.AppIdRejected", None, 15, APPID),
    (42001, 503, "WeChat.TokenRejected", Some(300), 15, FOREIGN),
    (42006, 503, "WeChat.TokenRejected", Some(300), 15, FOREIGN),
    (45009, 429, "WeChat.DailyQuotaExhausted", None, 15, Some("clear_quota")),
    (45011, 429, "WeChat.RateLimited", Some(60), 60, None),
    // Its errmsg names no address.
    (45035, 502, "Config.EgressIpNotRegistered", None, 15, Some("did not name the address")),
    (47001, 502, "WeChat.RequestRejected", None, 15, Some("bug")),
    (48001, 502, "WeChat.Unauthorized", None, 15, Some("put_token")),
    (48004, 502, "WeChat.Error", None, 15, Some("violation")),
    (50002, 502, "WeChat.Error", None, 15, Some("frozen")),
    (61000, 502, "Config.AppIdRejected", None, 15, APPID),
    (61001, 502, "Config.AppIdRejected", None, 15, APPID),
    (61004, 502, "Config.EgressIpNotRegistered", None, 15, WHITELIST),
    (61005, 503, "Ticket.Rejected", Some(600), 600, TICKET),
    (61006, 503, "Ticket.Rejected", Some(600), 600, TICKET),
    (61011, 502, "Config.AppIdRejected", None, 15, APPID),
    (61014, 502, "WeChat.Error", None, 15, Some("api_component_token")),
    (61028, 502, "WeChat.Error", None, 15, Some("全网发布")),
    // An errcode that is not listed.
    (50001, 502, "WeChat.Error", None, 15, None),
];

/// Answers of the operators' calls only (clear_quota, quota/get, rid/get), which callers never cause.
const OPERATORS_ONLY: [i64; 5] = [48006, 76001, 76003, 76021, 76022];

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Value,
}

fn event(file: &str) -> Request {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("events").join(file);
    lambda_http::request::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

async fn over_http(api: &Arc<PreAuthCodeHandler>, file: &str) -> Answer {
    let response = api.clone().handle(event(file)).await.unwrap();
    let (parts, body) = response.into_parts();
    let Body::Text(text) = body else { panic!("not text") };
    Answer {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body: serde_json::from_str(&text).unwrap(),
    }
}

/// The function error of a direct invocation: its type and its message.
async fn directly(api: &Arc<PreAuthCodeHandler>, file: &str) -> (String, Value) {
    let error = api.clone().handle(event(file)).await.unwrap_err();
    let diagnostic = lambda_runtime::Diagnostic::from(error);
    (diagnostic.error_type, serde_json::from_str(&diagnostic.error_message).unwrap())
}

fn check(row: &Row, on_mint: bool, answer: &Answer) {
    let &(errcode, mut status, mut code, code_wait, mint_wait, mut remedy) = row;
    if on_mint && errcode == 40001 {
        // The mint call sends no token, so the appsecret is wrong.
        (status, code, remedy) = (502, "Config.AppSecretRejected", SECRET);
    }
    if on_mint && code == "WeChat.TokenRejected" {
        remedy = None;
    }
    let body = &answer.body;
    let wait = if on_mint { Some(mint_wait) } else { code_wait };
    assert_eq!((answer.status, body["code"].as_str().unwrap()), (status, code), "{errcode}: {body}");
    assert_eq!(body["status"], status);
    assert_eq!(body["type"], format!("urn:wechat-preauth:problem:{code}"));
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    let header = answer.headers.get("retry-after").map(|value| value.to_str().unwrap().parse().unwrap());
    assert_eq!((header, body["retry_after"].as_i64()), (wait, wait), "{errcode}: {body}");
    assert_eq!(body["retryable"], matches!(status, 503) || code == "WeChat.RateLimited", "{errcode}");
    assert_eq!(body["errcode"], errcode, "{body}");
    match remedy {
        Some(part) => {
            assert!(body["remedy"].as_str().unwrap_or_default().contains(part), "{errcode}: {body}");
        }
        None => assert!(body.get("remedy").is_none(), "{errcode}: {body}"),
    }
    if code == "Config.EgressIpNotRegistered" && errcode != 45035 {
        assert_eq!(body["client_ip"], "127.0.0.1");
    }
}

#[test]
fn every_listed_errcode_is_in_the_table() {
    for (errcode, ..) in ERRCODES.iter().filter(|(errcode, ..)| !OPERATORS_ONLY.contains(errcode)) {
        assert!(ROWS.iter().any(|row| row.0 == *errcode), "{errcode}");
    }
}

#[tokio::test]
async fn every_errcode_on_the_code_call_reaches_the_caller_as_documented() {
    for row in ROWS {
        let service = TestService::new().await;
        let api = PreAuthCodeHandler::new(service.services());
        assert_eq!(over_http(&api, "rest-api.json").await.status, 200);
        service.wechat.inject(Fault::errcode(row.0).on(Endpoint::CreatePreAuthCode).forever());
        let answer = over_http(&api, "rest-api.json").await;
        check(row, false, &answer);
        let (error_type, message) = directly(&api, "direct.json").await;
        assert_eq!(error_type, answer.body["code"].as_str().unwrap());
        assert_eq!(message["code"], answer.body["code"]);
        assert_eq!(message["retry_after"], answer.body["retry_after"]);
    }
}

#[tokio::test]
async fn every_errcode_on_the_mint_call_reaches_the_caller_as_documented() {
    for row in ROWS {
        let service = TestService::new().await;
        let api = PreAuthCodeHandler::new(service.services());
        service.wechat.inject(Fault::errcode(row.0).on(Endpoint::ComponentToken).forever());
        let answer = over_http(&api, "http-api.json").await;
        check(row, true, &answer);
        let (error_type, message) = directly(&api, "direct-empty.json").await;
        assert_eq!(error_type, answer.body["code"].as_str().unwrap(), "{message}");
        // The second answer comes from the stored backoff and says the same.
        assert_eq!(message["retry_after"], answer.body["retry_after"], "{message}");
        assert_eq!(message.get("remedy"), answer.body.get("remedy"), "{message}");
        assert_eq!(service.code_calls(), 0);
    }
}

#[tokio::test]
async fn a_broken_answer_is_an_unreachable_wechat() {
    // `true`: an answer came, so the network works.
    let kinds = [
        (FaultKind::Html { status: 200 }, true),
        (FaultKind::Html { status: 502 }, true),
        (FaultKind::Status { status: 412 }, true),
        (FaultKind::EmptyField, true),
        (FaultKind::Huge { bytes: 70_000 }, true),
        (FaultKind::Truncate, false),
        (FaultKind::Reset, false),
        (FaultKind::Close, false),
    ];
    for (kind, answered) in kinds {
        let service = TestService::new().await;
        let api = PreAuthCodeHandler::new(service.services());
        let named = format!("{kind:?}");
        service.wechat.inject(Fault::new(kind).on(Endpoint::CreatePreAuthCode).forever());
        let answer = over_http(&api, "function-url.json").await;
        assert_eq!((answer.status, &answer.body["code"]), (502, &json!("WeChat.Unreachable")), "{named}");
        assert_eq!(answer.body["retryable"], true);
        let remedy = answer.body["remedy"].as_str().unwrap_or_default();
        assert_eq!(remedy.contains("answered with an error"), answered, "{named}: {remedy}");
        assert_eq!(service.code_calls(), 3, "{named}: after a passing fault the call is repeated");
    }
}

#[tokio::test]
async fn odd_but_valid_answers_are_taken() {
    let kinds = [FaultKind::TextPlain, FaultKind::ErrcodeZero, FaultKind::ExpiresIn { seconds: 600 }];
    for kind in kinds {
        let service = TestService::new().await;
        let api = PreAuthCodeHandler::new(service.services());
        let named = format!("{kind:?}");
        service.wechat.inject(Fault::new(kind).on(Endpoint::CreatePreAuthCode));
        let answer = over_http(&api, "rest-api-empty-body.json").await;
        assert_eq!(answer.status, 200, "{named}: {}", answer.body);
        assert_eq!(answer.body["expires_in"], if named.contains("ExpiresIn") { 600 } else { 1800 });
    }
    let service = TestService::new().await;
    let api = PreAuthCodeHandler::new(service.services());
    let fault = FaultKind::StringErrcode { errcode: 61004, errmsg: None };
    service.wechat.inject(Fault::new(fault).on(Endpoint::CreatePreAuthCode));
    assert_eq!(over_http(&api, "rest-api.json").await.body["code"], "Config.EgressIpNotRegistered");
}

#[tokio::test]
async fn a_wechat_that_hangs_is_a_timeout_within_the_invocations_time() {
    let service = TestService::new().await;
    let api = PreAuthCodeHandler::new(service.services());
    assert_eq!(over_http(&api, "rest-api.json").await.status, 200);
    service.wechat.inject(Fault::new(FaultKind::Hang).on(Endpoint::CreatePreAuthCode).forever());
    let mut context = lambda_http::Context::default();
    context.request_id = "8f507cfc-xmpl-4697-b07a-ac58fc914c95".into();
    let ends = std::time::SystemTime::now() + std::time::Duration::from_secs(2);
    context.deadline = ends.duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as u64;
    let response = api.handle(event("rest-api.json").with_lambda_context(context)).await.unwrap();
    assert_eq!(response.status(), 504);
    let Body::Text(text) = response.into_body() else { panic!("not text") };
    assert_eq!(
        serde_json::from_str::<Value>(&text).unwrap(),
        json!({
            "type": "urn:wechat-preauth:problem:WeChat.Timeout",
            "title": "WeChat did not answer in time",
            "status": 504,
            "detail": format!(
                "WeChat gave no usable answer: create_preauthcode on {}: no answer in time",
                service.wechat.addr()
            ),
            "code": "WeChat.Timeout",
            "retryable": true,
            "request_id": "8f507cfc-xmpl-4697-b07a-ac58fc914c95",
            "retry_after": 5,
        })
    );
}

/// A clock that panics.
struct BrokenClock;

impl Clock for BrokenClock {
    fn now(&self) -> i64 {
        panic!("the clock is broken")
    }
}

#[tokio::test]
async fn a_bug_is_an_internal_problem_and_is_counted() {
    let service = TestService::new().await;
    let mut services = service.services();
    services.clock = Arc::new(BrokenClock);
    let metrics = services.metrics.clone();
    let api = PreAuthCodeHandler::new(services);
    let answer = over_http(&api, "rest-api.json").await;
    assert_eq!((answer.status, &answer.body["code"]), (500, &json!("Internal")));
    assert!(!answer.body["request_id"].as_str().unwrap().is_empty());
    assert_eq!(directly(&api, "direct.json").await.0, "Internal");
    assert_eq!((metrics.sum("Failure.Internal"), metrics.sum("FunctionError")), (2.0, 1.0));
}
