//! What Lambda hands over, made from arbitrary fields, and what both functions make of it.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::panic::catch_unwind;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lambda_http::request::{RequestContext, from_str};
use lambda_http::{Request, RequestExt as _};
use libfuzzer_sys::arbitrary::{self, Arbitrary, Unstructured};
use serde_json::{Map, Value, json};

use crate::api::{issue_request, push_request};
use crate::platform::{RawPush, ProblemCode, IssueRequest, Problem};
use crate::wechat::push::{self, Push, PushError, PushKey, PushQuery};
use crate::{APPID, ENCODING_AES_KEY, NOW, TOKEN, encrypt, padded, signed_pairs};

static KEYS: LazyLock<[PushKey; 1]> =
    LazyLock::new(|| [PushKey::new(TOKEN.into(), ENCODING_AES_KEY).unwrap()]);

thread_local! {
    static READING: Cell<bool> = const { Cell::new(false) };
}

/// Lets the panics of `lambda_http` pass; every other one still ends the run. Where an event has a URI or
/// base64 that cannot be, `lambda_http` panics before any code of ours is called, and the runtime answers.
pub fn let_lambda_http_panic() {
    let fatal = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !READING.get() {
            fatal(panic);
        }
    }));
}

/// The request in an event, as the runtime reads it.
#[must_use]
pub fn read(event: &str) -> Option<Request> {
    READING.set(true);
    let request = catch_unwind(|| from_str(event));
    READING.set(false);
    request.ok()?.ok()
}

/// Whether a request counts as a direct invocation.
#[must_use]
pub fn is_direct(request: &Request) -> bool {
    matches!(request.request_context_ref(), Some(RequestContext::PassThrough))
}

/// Input that starts with a zero, which no JSON does, makes a `T`; all other input is the event itself.
pub enum Input<'a, T> {
    /// An event in words.
    Made(T),
    /// An event in bytes.
    Raw(&'a [u8]),
}

impl<'a, T: Arbitrary<'a>> Input<'a, T> {
    /// What this input is; nothing when it is too short.
    #[must_use]
    pub fn of(data: &'a [u8]) -> Option<Self> {
        match data {
            [0, rest @ ..] => T::arbitrary_take_rest(Unstructured::new(rest)).ok().map(Self::Made),
            raw => Some(Self::Raw(raw)),
        }
    }
}

/// A word that means something, or any other.
#[derive(Debug, Arbitrary)]
pub enum Word {
    /// One of those that the place knows.
    Known(u8),
    /// Any.
    Any(String),
}

impl Word {
    fn of(&self, known: &[&str]) -> String {
        match self {
            Self::Known(index) => known[usize::from(*index) % known.len()].to_owned(),
            Self::Any(word) => word.clone(),
        }
    }
}

/// A value of JSON.
#[derive(Debug, Arbitrary)]
pub enum Piece {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A whole number.
    Whole(i64),
    /// A number that is not.
    Broken(f64),
    /// A string.
    Text(String),
    /// A string that starts as a URL does.
    Https(String),
    /// An array of numbers.
    Ids(Vec<u32>),
    /// An array of strings.
    Texts(Vec<String>),
    /// An object.
    Object(Vec<(String, String)>),
}

impl Piece {
    fn json(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => json!(value),
            Self::Whole(value) => json!(value),
            Self::Broken(value) => json!(value),
            Self::Text(text) => json!(text),
            Self::Https(rest) => json!(format!("https://{rest}")),
            Self::Ids(ids) => json!(ids),
            Self::Texts(texts) => json!(texts),
            Self::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), json!(value))).collect(),
        }
    }
}

/// A request for a code, right or wrong.
#[derive(Debug, Arbitrary)]
pub struct CodeRequest(Vec<(Word, Piece)>);

impl CodeRequest {
    /// As JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        let names =
            ["component_appid", "redirect_uri", "auth_type", "biz_appid", "category_id_list", "reference"];
        self.0.iter().map(|(name, value)| (name.of(&names), value.json())).collect()
    }
}

/// What a request carries.
#[derive(Debug, Arbitrary)]
pub enum Content {
    /// Nothing.
    None,
    /// Any text.
    Text(String),
    /// Any bytes, in base64.
    Bytes(Vec<u8>),
    /// Any text that is said to be base64.
    Base64(String),
    /// A request for a code.
    ProblemCode(CodeRequest),
    /// A push that is rightly encrypted and signed.
    Push(Word),
}

/// One thing wrong with an event: a field that is missing, or is something else.
#[derive(Debug, Arbitrary)]
pub struct Flaw {
    field: Word,
    in_context: bool,
    instead: Option<Piece>,
}

/// An HTTP request, in the words of either kind of event.
#[derive(Debug, Arbitrary)]
pub struct Http {
    method: Word,
    path: Word,
    stage: Option<Word>,
    headers: Vec<(Word, Word)>,
    query: Vec<(Word, Word)>,
    /// Some of what is sent is in a form of its own: base64 of text, single values only, a query as it came.
    in_base64: bool,
    single: bool,
    raw_query: Option<String>,
    flaw: Option<Flaw>,
    content: Content,
}

const QUERY_NAMES: [&str; 5] = ["timestamp", "nonce", "encrypt_type", "msg_signature", "signature"];
const QUERY_VALUES: [&str; 4] = ["1715943329", "1590219412", "aes", "raw"];
const MESSAGES: [&str; 4] = [
    include_str!("../seeds/push_xml/authorized"),
    include_str!("../seeds/push_xml/component_verify_ticket"),
    include_str!("../seeds/push_xml/fasteregister"),
    include_str!("../seeds/push_xml/incoming-event"),
];

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

    /// The query as it is meant.
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

    /// The body as it is meant.
    fn body(&self) -> Vec<u8> {
        match &self.content {
            Content::None => Vec::new(),
            Content::Text(text) => text.clone().into_bytes(),
            // Where it is none after all, `lambda_http` lets nothing through.
            Content::Base64(text) => STANDARD.decode(text).unwrap_or_default(),
            Content::Bytes(bytes) => bytes.clone(),
            Content::ProblemCode(request) => request.json().to_string().into_bytes(),
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

    /// A REST API's event arrives as it is meant.
    pub fn check_rest(&self) {
        let query = self.query();
        let expected = match self.single {
            true => singles(&query).into_iter().collect(),
            false => query,
        };
        self.check(&self.rest_event().to_string(), expected);
    }

    /// So does an HTTP API's.
    pub fn check_http(&self) {
        let raw = self.raw_query();
        let expected = url::form_urlencoded::parse(raw.as_bytes()).into_owned().collect();
        self.check(&self.http_event().to_string(), expected);
    }

    fn check(&self, event: &str, mut query: Vec<(String, String)>) {
        let Some(request) = read(event) else { return };
        let (arrived, _) = both_functions(&request);
        if is_direct(&request) {
            return foreign_event_is_refused(&request);
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

/// The payload of a direct invocation.
#[derive(Debug, Arbitrary)]
pub enum Direct {
    /// A request for a code.
    ProblemCode(CodeRequest),
    /// A push that is rightly encrypted and signed, with what else was in its query.
    Push(Vec<(Word, String)>, Word),
    /// Something like a push.
    Likeness(Vec<(Word, Piece)>, Piece),
    /// Something else that has names for its fields.
    Other(Vec<(Word, Piece)>),
}

impl Direct {
    /// As JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        match self {
            Self::ProblemCode(request) => request.json(),
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

    /// A payload arrives as it is meant.
    pub fn check(&self) {
        let json = self.json();
        let request = read(&json.to_string()).unwrap();
        // Whoever may invoke the function may also send it an API's event.
        if !is_direct(&request) {
            return;
        }
        let (arrived, _) = both_functions(&request);
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
            (.., Ok(_)) => panic!("taken: {json}"),
            (.., Err(_)) => {}
        }
    }
}

/// Reads a request as both functions do, and checks what holds for every request.
pub fn both_functions(
    request: &Request,
) -> (Result<RawPush, Box<Problem>>, Result<IssueRequest, Box<Problem>>) {
    let body = request.body().as_ref();
    let arrived = match is_direct(request) {
        true => push_request::from_direct(body),
        false => Ok(push_request::from_http(request)),
    };
    match &arrived {
        Ok(arrived) => drop(opened(arrived)),
        Err(refused) => {
            assert_eq!(refused.code, ProblemCode::RequestInvalid);
            // Nothing of it is quoted: it may be a push.
            assert!(refused.detail.starts_with("the event "), "{}", refused.detail);
        }
    }
    (arrived, code_request(body))
}

/// Reads a request for a code.
pub fn code_request(body: &[u8]) -> Result<IssueRequest, Box<Problem>> {
    let read = issue_request::parse(body);
    match &read {
        Ok(read) => {
            let sent = serde_json::from_slice(body).unwrap_or(Value::Null);
            assert_eq!(read.component_appid.as_deref(), sent["component_appid"].as_str());
            assert_eq!(read.reference.as_deref(), sent["reference"].as_str());
            assert!(read.reference.iter().all(|text| text.len() <= 64 && !text.contains(char::is_control)));
            assert_eq!(read.links.is_some(), sent["redirect_uri"].is_string());
            if let Some(links) = &read.links {
                let urls = links.urls(APPID, "preauthcode@@@1");
                check_link(&urls.pc, "mp.weixin.qq.com", None, &sent);
                check_link(&urls.mobile, "open.weixin.qq.com", Some("wechat_redirect"), &sent);
            }
        }
        Err(refused) => {
            assert_eq!(refused.code, ProblemCode::RequestInvalid);
            assert!(refused.detail.len() < 1024 && !refused.detail.contains(char::is_control));
        }
    }
    read
}

/// A link goes to WeChat and says what was asked for, once.
fn check_link(link: &str, host: &str, fragment: Option<&str>, sent: &Value) {
    let url = url::Url::parse(link).unwrap();
    assert_eq!((url.host_str(), url.fragment()), (Some(host), fragment));
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let query: BTreeMap<&str, &str> = pairs.iter().map(|(name, value)| (&**name, &**value)).collect();
    assert_eq!(query.len(), pairs.len());
    assert_eq!(query["component_appid"], APPID);
    assert_eq!(query["pre_auth_code"], "preauthcode@@@1");
    assert_eq!(Some(query["redirect_uri"]), sent["redirect_uri"].as_str());
    assert_eq!(query["auth_type"], sent["auth_type"].as_u64().unwrap_or(3).to_string());
    assert_eq!(query.get("biz_appid").copied(), sent["biz_appid"].as_str());
}

/// An HTTP event that `lambda_http` does not know is refused, not taken for a direct invocation: whoever
/// may only reach the API must not get past its path and its methods.
pub fn foreign_event_is_refused(request: &Request) {
    let event = request.body().as_ref();
    assert!(push_request::from_direct(event).is_err());
    assert!(issue_request::parse(event).is_err());
}

fn opened(arrived: &RawPush) -> Result<String, PushError> {
    let pairs = arrived.query.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    shown(
        PushQuery::from_pairs(pairs)
            .and_then(|query| push::open(&query, &arrived.body, KEYS.as_slice(), APPID, NOW)),
    )
}

/// What a push comes to when no event is around it.
fn sent(message: &Word) -> Result<String, PushError> {
    let encrypted = encrypted(message);
    let body = enveloped(&encrypted);
    shown(push::open(&crate::signed(&encrypted), body.as_bytes(), KEYS.as_slice(), APPID, NOW))
}

fn shown(push: Result<Push, PushError>) -> Result<String, PushError> {
    push.map(|push| format!("{push:?}"))
}

fn encrypted(message: &Word) -> String {
    encrypt(&padded(message.of(&MESSAGES).as_bytes()))
}

fn enveloped(encrypted: &str) -> String {
    format!("<xml><AppId><![CDATA[{APPID}]]></AppId><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>")
}

/// The last value of every name.
fn singles(pairs: &[(String, String)]) -> BTreeMap<String, String> {
    pairs.iter().cloned().collect()
}

/// All values of every name.
fn grouped(pairs: &[(String, String)]) -> BTreeMap<&str, Vec<&str>> {
    let mut groups: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, value) in pairs {
        groups.entry(name).or_default().push(value);
    }
    groups
}
