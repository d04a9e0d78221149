//! A push as it reaches the callback: over API Gateway, or forwarded by direct invocation as
//! `{"query":{…},"body":"<xml>…"}`. A direct invocation can also ask for the check of the push keys.

use std::collections::BTreeMap;

use lambda_http::{Body, Request, RequestExt as _};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::platform::problem::texts;
use crate::platform::{Problem, RawPush, Result};

/// The largest direct event, in bytes. The largest push (64 KiB) grows at most sixfold when every
/// character of it is escaped in JSON.
const MAX_EVENT_BYTES: usize = 512 * 1024;

/// The longest event that may be an action. A push is longer.
const MAX_ACTION_BYTES: usize = 128;

/// Whether a direct invocation's event asks for the check of the push keys. Any other action is a wrong push.
pub fn asks_for_check(event: &[u8]) -> bool {
    let is_check = |event: Value| event == json!({ "action": "check_push_keys" });
    event.len() <= MAX_ACTION_BYTES && serde_json::from_slice(event).is_ok_and(is_check)
}

/// The push in an HTTP request. The body is moved, not copied: anyone may send a large one.
pub fn from_http(request: Request) -> RawPush {
    let query = request.query_string_parameters();
    RawPush {
        query: query.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        body: match request.into_body() {
            Body::Text(text) => text.into_bytes(),
            Body::Binary(bytes) => bytes,
            _ => Vec::new(),
        },
    }
}

/// The push in a direct invocation's event.
///
/// # Errors
/// `Request.Invalid` when the event has another shape. Nothing of it is repeated: it may be a push.
pub fn from_direct(event: &[u8]) -> Result<RawPush> {
    if event.len() > MAX_EVENT_BYTES {
        return Err(Problem::invalid(texts::PUSH_EVENT_SIZE.with(&[("most", &MAX_EVENT_BYTES)])));
    }
    // An object only: serde would also accept an array.
    let direct = serde_json::from_slice::<Map<String, Value>>(event)
        .and_then(|event| serde_json::from_value::<DirectEvent>(event.into()))
        .map_err(|_| Problem::invalid(texts::PUSH_EVENT))?;
    Ok(RawPush { query: direct.query.into_iter().collect(), body: direct.body.into_bytes() })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DirectEvent {
    query: BTreeMap<String, String>,
    body: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::ProblemCode;

    #[test]
    fn the_body_of_a_push_over_http_is_not_copied() {
        for body in [Body::Text("x".repeat(100)), Body::Binary(vec![b'x'; 100])] {
            let (place, request) = (body.as_ptr(), Request::new(body));
            let push = from_http(request);
            assert_eq!((push.body.as_ptr(), push.body.len()), (place, 100));
        }
        assert!(from_http(Request::new(Body::Empty)).body.is_empty());
    }

    #[test]
    fn a_direct_event_of_another_shape_is_refused_without_being_quoted() {
        let huge = format!(r#"{{"query":{{}},"body":"{}"}}"#, "x".repeat(MAX_EVENT_BYTES));
        for event in [
            "",
            "null",
            "[]",
            "{}",
            "s3cret",
            r#"{"query":{}}"#,
            r#"{"body":"s3cret"}"#,
            r#"{"query":"s3cret","body":""}"#,
            r#"{"query":{"nonce":7},"body":"s3cret"}"#,
            r#"{"query":{},"body":{"s3cret":1}}"#,
            r#"{"query":{},"body":"","s3cret":1}"#,
            r#"[{},"s3cret"]"#,
            r#"{"query":[["nonce","s3cret"]],"body":""}"#,
            r#"{"action":"s3cret"}"#,
            r#"{"action":null}"#,
            r#"{"action":["check_push_keys"]}"#,
            r#"{"action":"check_push_keys","s3cret":1}"#,
            r#"{"action":"check_push_keys","query":{},"body":"s3cret"}"#,
            &huge,
        ] {
            let problem = from_direct(event.as_bytes()).err().unwrap();
            assert_eq!(problem.code, ProblemCode::RequestInvalid, "{event:.80}");
            assert!(!problem.detail.contains("s3cret") && !asks_for_check(event.as_bytes()));
        }
        let problem = from_direct(huge.as_bytes()).err().unwrap();
        assert_eq!(problem.detail, "the event is larger than 524288 bytes");
    }

    #[test]
    fn a_direct_event_holds_the_query_and_the_body() {
        let arrived = from_direct(r#"{"body":"<xml/>","query":{"nonce":"1"}}"#.as_bytes()).unwrap();
        assert_eq!(arrived.query, [("nonce".to_owned(), "1".to_owned())]);
        assert_eq!(arrived.body, b"<xml/>");
    }
}
