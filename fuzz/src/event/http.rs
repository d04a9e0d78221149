//! An HTTP request, as the event of a REST API or of an HTTP API.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use serde_json::{Value, json};

use super::check::{
    check_both_functions, check_foreign_event_is_refused, encrypted, enveloped, opened, sent,
};
use super::word::{CodeRequest, Piece, QUERY_NAMES, Word};
use super::{is_direct, read};
use crate::signed_pairs;

/// The body of a request.
#[derive(Debug, Arbitrary)]
pub enum Content {
    /// Nothing.
    None,
    /// Any text.
    Text(String),
    /// Any bytes, in base64.
    Bytes(Vec<u8>),
    /// Any text, declared as base64.
    Base64(String),
    /// A request for a code.
    CodeRequest(CodeRequest),
    /// A push, correctly encrypted and signed.
    Push(Word),
}

/// One defect of an event: a field is missing or has another value.
#[derive(Debug, Arbitrary)]
pub struct Flaw {
    field: Word,
    in_context: bool,
    instead: Option<Piece>,
}

/// An HTTP request, from which either kind of event is built.
#[derive(Debug, Arbitrary)]
pub struct Http {
    method: Word,
    path: Word,
    stage: Option<Word>,
    headers: Vec<(Word, Word)>,
    query: Vec<(Word, Word)>,
    /// Variants of the event: text as base64, single values only, a raw query string.
    in_base64: bool,
    single: bool,
    raw_query: Option<String>,
    flaw: Option<Flaw>,
    content: Content,
}

const QUERY_VALUES: [&str; 4] = ["1715943329", "1590219412", "aes", "raw"];

impl Http {
    fn method(&self) -> String {
        self.method.of(&["POST", "GET", "PUT", "OPTIONS"])
    }

    fn path(&self) -> String {
        self.path.of(&[
            "/wechat/callback",
            "/preauthcode",
            "/live/wechat/callback",
            "/base/preauthcode/",
            "/",
        ])
    }

    fn stage(&self) -> Option<String> {
        self.stage.as_ref().map(|stage| stage.of(&["$default", "live"]))
    }

    fn headers(&self) -> Vec<(String, String)> {
        let names = ["Host", "Content-Type", "X-Forwarded-Proto", "X-Forwarded-For", "Cookie"];
        let values = ["wechat.example.com", "text/xml", "https", "198.51.100.40", "application/json"];
        self.headers.iter().map(|(name, value)| (name.of(&names), value.of(&values))).collect()
    }

    /// The query that the event must yield.
    fn query(&self) -> Vec<(String, String)> {
        let pairs = self.query.iter();
        let pairs = pairs.map(|(name, value)| (name.of(&QUERY_NAMES), value.of(&QUERY_VALUES)));
        match &self.content {
            Content::Push(message) => signed_pairs(&encrypted(message))
                .map(|(name, value)| (name.to_owned(), value))
                .into_iter()
                .chain(pairs.filter(|(name, _)| !QUERY_NAMES[..4].contains(&name.as_str())))
                .collect(),
            _ => pairs.collect(),
        }
    }

    /// The body that the event must yield.
    fn body(&self) -> Vec<u8> {
        match &self.content {
            Content::None => Vec::new(),
            Content::Text(text) => text.clone().into_bytes(),
            // `lambda_http` rejects invalid base64, so this value is then never compared.
            Content::Base64(text) => STANDARD.decode(text).unwrap_or_default(),
            Content::Bytes(bytes) => bytes.clone(),
            Content::CodeRequest(request) => request.json().to_string().into_bytes(),
            Content::Push(message) => enveloped(&encrypted(message)).into_bytes(),
        }
    }

    /// `body` and `isBase64Encoded`.
    fn body_fields(&self) -> (Value, bool) {
        match &self.content {
            Content::None => (Value::Null, self.in_base64),
            Content::Base64(text) => (json!(text), true),
            Content::Bytes(bytes) => (json!(STANDARD.encode(bytes)), true),
            _ if self.in_base64 => (json!(STANDARD.encode(self.body())), true),
            _ => (json!(String::from_utf8(self.body()).unwrap()), false),
        }
    }

    /// A REST API's event.
    #[must_use]
    pub fn rest_event(&self) -> Value {
        let (method, path, headers, query) = (self.method(), self.path(), self.headers(), self.query());
        let multi = |pairs| if self.single { Value::Null } else { json!(grouped(pairs)) };
        let (body, in_base64) = self.body_fields();
        self.flawed(json!({
            "resource": path,
            "path": path,
            "httpMethod": method,
            "headers": singles(&headers),
            "multiValueHeaders": multi(&headers),
            "queryStringParameters": singles(&query),
            "multiValueQueryStringParameters": multi(&query),
            "pathParameters": null,
            "stageVariables": null,
            "requestContext": {
                "resourcePath": path,
                "httpMethod": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "stage": self.stage(),
                "requestTimeEpoch": 1_715_943_329_000_i64,
                "requestId": "5b0f7c1e-2d3a-4c8e-8f61-9a1b2c3d4e5f",
                "identity": { "sourceIp": "198.51.100.40", "userAgent": "Mozilla/4.0", "user": null },
                "domainName": "wechat.example.com",
                "apiId": "a1b2c3d4e5",
            },
            "body": body,
            "isBase64Encoded": in_base64,
        }))
    }

    /// An HTTP API's event, or a function URL's.
    #[must_use]
    pub fn http_event(&self) -> Value {
        let (method, path) = (self.method(), self.path());
        let (body, in_base64) = self.body_fields();
        self.flawed(json!({
            "version": "2.0",
            "routeKey": format!("{method} {path}"),
            "rawPath": path,
            "rawQueryString": self.raw_query(),
            "headers": singles(&self.headers()),
            "queryStringParameters": singles(&self.query()),
            "requestContext": {
                "accountId": "123456789012",
                "apiId": "f6g7h8i9j0",
                "domainName": "wechat.example.com",
                "http": {
                    "method": method,
                    "path": path,
                    "protocol": "HTTP/1.1",
                    "sourceIp": "198.51.100.40",
                    "userAgent": "Mozilla/4.0",
                },
                "requestId": "Xq_abjEXAMPLEJg=",
                "routeKey": format!("{method} {path}"),
                "stage": self.stage(),
                "timeEpoch": 1_715_943_329_000_i64,
            },
            "body": body,
            "isBase64Encoded": in_base64,
        }))
    }

    fn raw_query(&self) -> String {
        match (&self.raw_query, &self.content) {
            (Some(raw), content) if !matches!(content, Content::Push(_)) => raw.clone(),
            _ => url::form_urlencoded::Serializer::new(String::new()).extend_pairs(self.query()).finish(),
        }
    }

    fn flawed(&self, mut event: Value) -> Value {
        let Some(flaw) = &self.flaw else { return event };
        let fields = match flaw.in_context {
            true => event["requestContext"].as_object_mut().unwrap(),
            false => event.as_object_mut().unwrap(),
        };
        let known: Vec<String> = fields.keys().cloned().collect();
        let field = flaw.field.of(&known.iter().map(String::as_str).collect::<Vec<_>>());
        match &flaw.instead {
            None => fields.remove(&field),
            Some(piece) => fields.insert(field, piece.json()),
        };
        event
    }

    /// Checks that a REST API's event yields this request.
    pub fn check_rest(&self) {
        let query = self.query();
        let expected = match self.single {
            true => singles(&query).into_iter().collect(),
            false => query,
        };
        self.check(&self.rest_event().to_string(), expected);
    }

    /// Checks that an HTTP API's event yields this request.
    pub fn check_http(&self) {
        let raw = self.raw_query();
        let expected = url::form_urlencoded::parse(raw.as_bytes()).into_owned().collect();
        self.check(&self.http_event().to_string(), expected);
    }

    fn check(&self, event: &str, mut query: Vec<(String, String)>) {
        let Some(request) = read(event) else { return };
        let (arrived, _) = check_both_functions(&request);
        if is_direct(&request) {
            return check_foreign_event_is_refused(&request);
        }
        if self.flaw.is_some() {
            return;
        }
        let mut arrived = arrived.unwrap();
        assert_eq!(arrived.body, self.body());
        if let Content::Push(message) = &self.content {
            assert_eq!(opened(&arrived), sent(message));
        }
        arrived.query.sort();
        query.sort();
        assert_eq!(arrived.query, query);
    }
}

/// The last value of each name.
fn singles(pairs: &[(String, String)]) -> BTreeMap<String, String> {
    pairs.iter().cloned().collect()
}

/// All values of each name.
fn grouped(pairs: &[(String, String)]) -> BTreeMap<&str, Vec<&str>> {
    let mut groups: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, value) in pairs {
        groups.entry(name).or_default().push(value);
    }
    groups
}
