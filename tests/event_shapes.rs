//! A few of the events of the fuzz targets: what must hold for every event.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::Path;

use lambda_http::request::{RequestContext, from_str};
use lambda_http::{Request, RequestExt as _};
use serde_json::{Value, json};
use wechat_preauth::api::{issue_request, push_request};
use wechat_preauth::platform::ProblemCode;

fn is_direct(request: &Request) -> bool {
    matches!(request.request_context_ref(), Some(RequestContext::PassThrough))
}

/// Every file in `events/` that an API sends.
fn events_of_apis() -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("events");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files
        .map(|path| (path.display().to_string(), std::fs::read_to_string(path).unwrap()))
        .filter(|(_, text)| !is_direct(&from_str(text).unwrap()))
        .map(|(name, text)| (name, serde_json::from_str(&text).unwrap()))
        .collect()
}

/// `lambda_http` passes an event that it does not recognize on as a direct invocation. A caller of an API must not be
/// able to avoid the checks of path and method in that way.
#[test]
fn an_apis_event_that_is_not_recognized_is_refused_by_both_functions() {
    let events = events_of_apis();
    assert!(events.len() >= 10);
    for (name, event) in events {
        for (field, instead) in [
            ("headers", json!({ "host": "a\u{0}b" })),
            ("headers", json!({ "": "" })),
            ("requestContext", Value::Null),
            ("body", json!({ "query": {}, "body": "<xml/>" })),
            ("isBase64Encoded", json!("no")),
        ] {
            let mut event = event.clone();
            event[field] = instead;
            let request = from_str(&event.to_string()).unwrap();
            assert!(is_direct(&request), "{name}: {field}");
            let body = request.body().as_ref();
            let refused = push_request::from_direct(body).err().map(|problem| problem.code);
            assert_eq!(refused, Some(ProblemCode::RequestInvalid), "{name}: {field}");
            let refused = issue_request::parse(body).err().map(|problem| problem.code);
            assert_eq!(refused, Some(ProblemCode::RequestInvalid), "{name}: {field}");
        }
    }
}

#[test]
fn bytes_that_are_no_json_are_refused_by_both_functions() {
    let deep = "[".repeat(100_000);
    let deep_query = format!(r#"{{"query":{}"#, r#"{"query":"#.repeat(1_000));
    for bytes in [
        b"\xff\xfe{}".as_slice(),
        "\u{feff}{}".as_bytes(),
        b"{\"reference\":\"\xff\"}",
        br#"{"reference":"\ud800"}"#,
        br#"{"query":{"nonce":"\ud800"},"body":""}"#,
        b"{\"body\":\"\0\",\"query\":{}}",
        br#"{"query":{},"body":""}{"#,
        b"\0",
        &deep.as_bytes()[..16 * 1024],
        deep.as_bytes(),
        deep_query.as_bytes(),
    ] {
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(60)]);
        let refused = push_request::from_direct(bytes).err().map(|problem| problem.code);
        assert_eq!(refused, Some(ProblemCode::RequestInvalid), "{shown}");
        let refused = issue_request::parse(bytes).err().map(|problem| problem.code);
        assert_eq!(refused, Some(ProblemCode::RequestInvalid), "{shown}");
    }
}

#[test]
fn a_long_name_that_is_repeated_is_cut_between_characters() {
    let event = json!({ format!("a{}", "订".repeat(100)): null }).to_string();
    let problem = issue_request::parse(event.as_bytes()).unwrap_err();
    let shown = format!("unknown field \"a{}\";", "订".repeat(39));
    assert!(problem.detail.starts_with(&shown), "{}", problem.detail);
}
