//! A push as it reaches the function: over API Gateway, or handed on in a direct invocation as
//! `{"query":{…},"body":"<xml>…"}`.

use lambda_http::{Request, RequestExt as _};
use serde_json::{Map, Value};

use crate::platform::{Problem, ProblemCode, RawPush, Result};

/// The largest direct event, in bytes. The largest push (64 KiB) grows at most sixfold when every
/// character of it is escaped in JSON.
const MAX_EVENT_BYTES: usize = 512 * 1024;

/// What a direct event must look like.
const SHAPE: &str = r#"the event must be {"query":{"timestamp":"…","nonce":"…","encrypt_type":"aes","msg_signature":"…"},"body":"<xml>…"}"#;

/// The push in an HTTP request.
#[must_use]
pub fn from_http(request: &Request) -> RawPush {
    let query = request.query_string_parameters();
    RawPush {
        query: query.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        body: request.body().as_ref().to_vec(),
    }
}

/// The push in a direct invocation's event.
///
/// # Errors
/// `Request.Invalid` when the event has another shape. Nothing of it is quoted: it may be a push.
pub fn from_direct(event: &[u8]) -> Result<RawPush> {
    let invalid = || Problem::new(ProblemCode::RequestInvalid, SHAPE);
    if event.len() > MAX_EVENT_BYTES {
        return Err(Problem::new(
            ProblemCode::RequestInvalid,
            format!("the event is larger than {MAX_EVENT_BYTES} bytes"),
        ));
    }
    let Ok(Value::Object(mut fields)) = serde_json::from_slice(event) else { return Err(invalid()) };
    let (Some(Value::Object(query)), Some(Value::String(body)), true) =
        (fields.remove("query"), fields.remove("body"), fields.is_empty())
    else {
        return Err(invalid());
    };
    Ok(RawPush { query: texts(query).ok_or_else(invalid)?, body: body.into_bytes() })
}

fn texts(fields: Map<String, Value>) -> Option<Vec<(String, String)>> {
    let text = |(name, value)| match value {
        Value::String(value) => Some((name, value)),
        _ => None,
    };
    fields.into_iter().map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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
            &huge,
        ] {
            let problem = from_direct(event.as_bytes()).err().unwrap();
            assert_eq!(problem.code, ProblemCode::RequestInvalid, "{event:.80}");
            assert!(!problem.detail.contains("s3cret"));
        }
    }

    #[test]
    fn a_direct_event_holds_the_query_and_the_body() {
        let arrived = from_direct(r#"{"body":"<xml/>","query":{"nonce":"1"}}"#.as_bytes()).unwrap();
        assert_eq!(arrived.query, [("nonce".to_owned(), "1".to_owned())]);
        assert_eq!(arrived.body, b"<xml/>");
    }
}
