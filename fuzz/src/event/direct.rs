//! The payload of a direct invocation.

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use serde_json::{Map, Value, json};

use super::check::{check_both_functions, encrypted, enveloped, opened, sent};
use super::word::{CodeRequest, Piece, QUERY_NAMES, Word};
use super::{is_direct, read};
use crate::signed_pairs;

/// The payload of a direct invocation.
#[derive(Debug, Arbitrary)]
pub enum Direct {
    /// A request for a code.
    CodeRequest(CodeRequest),
    /// A push, correctly encrypted and signed, with additional query parameters.
    Push(Vec<(Word, String)>, Word),
    /// An object with a push's fields but arbitrary values.
    Likeness(Vec<(Word, Piece)>, Piece),
    /// Any other object.
    Other(Vec<(Word, Piece)>),
}

impl Direct {
    /// As JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        match self {
            Self::CodeRequest(request) => request.json(),
            Self::Push(more, message) => {
                let encrypted = encrypted(message);
                let more = more.iter().map(|(name, value)| (name.of(&QUERY_NAMES), json!(value)));
                let right = signed_pairs(&encrypted).map(|(name, value)| (name.to_owned(), json!(value)));
                let query: Map<String, Value> = more.chain(right).collect();
                json!({ "query": query, "body": enveloped(&encrypted) })
            }
            Self::Likeness(query, body) => {
                let query = query.iter().map(|(name, value)| (name.of(&QUERY_NAMES), value.json()));
                json!({ "query": query.collect::<Value>(), "body": body.json() })
            }
            Self::Other(fields) => {
                fields.iter().map(|(name, value)| (name.of(&["query", "body"]), value.json())).collect()
            }
        }
    }

    /// Checks that the payload is read correctly, or refused.
    pub fn check(&self) {
        let json = self.json();
        let request = read(&json.to_string()).unwrap();
        // A caller who may invoke the function may also send it an API's event.
        if !is_direct(&request) {
            return;
        }
        let (arrived, _) = check_both_functions(&request);
        let fields = json.as_object().unwrap();
        let query = json["query"].as_object().filter(|query| query.values().all(Value::is_string));
        match (query, json["body"].as_str(), fields.len(), arrived) {
            (Some(query), Some(body), 2, Ok(arrived)) => {
                let found: Map<String, Value> =
                    arrived.query.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
                assert_eq!(&found, query);
                assert_eq!(arrived.body, body.as_bytes());
                if let Self::Push(_, message) = self {
                    assert_eq!(opened(&arrived), sent(message));
                }
            }
            (Some(_), Some(_), 2, Err(refused)) => panic!("{}", refused.detail),
            (.., Ok(_)) => panic!("accepted: {json}"),
            (.., Err(_)) => {}
        }
    }
}
