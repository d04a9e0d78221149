//! A callback with its state, bus, credentials and clock in memory, and pushes for it.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use lambda_http::Body;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use wechat_preauth::api::FunctionError;
use wechat_preauth::api::callback::CallbackHandler;
use wechat_preauth::platform::links::MemoryLinks;
use wechat_preauth::platform::{
    Clock, CredentialsCache, CredentialsSource, MemoryBus, MemoryCredentials, MemoryState, PushServices,
    Ticket, TicketStore as _,
};
use wechat_preauth::telemetry::Metrics;
use wechat_sim::BuiltPush;

use crate::support;

/// The component of `tests/vectors/push.json` and of the files in `events/`.
pub const APPID: &str = "wx134c8103faa5a59e";
/// Its Token.
pub const TOKEN: &str = "AAAAA";
/// Its `EncodingAESKey`.
pub const KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
/// The key of WeChat's published example, which the operator has kept as the previous one.
const PREVIOUS_KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
/// When the pushes in `events/` were sent.
pub const SENT_AT: i64 = 1_715_943_329;
/// When those pushes arrive.
pub const NOW: i64 = SENT_AT + 2;

/// The ticket in `events/`.
pub const TICKET: &str = "ticket@@@TEST-only_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_abcdefghijklmno";

/// A clock that stands still.
pub struct At(pub i64);

impl Clock for At {
    fn now(&self) -> i64 {
        self.0
    }
}

pub fn secret(push_keys: &Value) -> String {
    json!({ "component_appid": APPID, "component_appsecret": "s3cret", "push_keys": push_keys }).to_string()
}

pub fn push_keys() -> Value {
    json!([
        { "token": TOKEN, "encoding_aes_key": KEY },
        { "token": TOKEN, "encoding_aes_key": PREVIOUS_KEY },
    ])
}

pub struct CallbackHarness {
    pub api: Arc<CallbackHandler>,
    pub state: Arc<MemoryState>,
    pub links: Arc<MemoryLinks>,
    pub bus: Arc<MemoryBus>,
    pub metrics: Metrics,
}

impl CallbackHarness {
    /// A callback for the pushes in `events/`, when they arrive.
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    /// The same with changed services.
    pub fn with(change: impl FnOnce(&mut PushServices)) -> Self {
        Self::of(MemoryCredentials::new(&secret(&push_keys())), Duration::ZERO, change)
    }

    /// A callback with these credentials, whose start took `start_up`.
    pub fn of(
        credentials: impl CredentialsSource + 'static,
        start_up: Duration,
        change: impl FnOnce(&mut PushServices),
    ) -> Self {
        support::logs::start();
        let links = Arc::new(MemoryLinks::default());
        let (state, bus) = (Arc::new(MemoryState::default()), Arc::new(MemoryBus::default()));
        let mut push_services = PushServices {
            clock: Arc::new(At(NOW)),
            tickets: state.clone(),
            links: links.clone(),
            credentials: Arc::new(CredentialsCache::new(credentials)),
            bus: bus.clone(),
            metrics: Metrics::memory(),
        };
        change(&mut push_services);
        let metrics = push_services.metrics.clone();
        Self { api: CallbackHandler::new(push_services, start_up), state, links, bus, metrics }
    }

    /// Invokes the function over HTTP. The status, and the code under which a failure is counted.
    pub async fn failure(&self, event: &Value) -> (u16, String) {
        let before = self.metrics.lines().len();
        let answer = self.http(event).await;
        let counted = self.metrics.lines().split_off(before);
        let mut names = counted.iter().flat_map(|line| line.as_object().unwrap().keys());
        let code = names.find_map(|name| name.strip_prefix("Failure."));
        (answer.status, code.unwrap_or("success").to_owned())
    }

    /// Invokes the function over HTTP.
    pub async fn http(&self, event: &Value) -> Answer {
        let request = lambda_http::request::from_str(&event.to_string()).unwrap();
        let response = self.api.clone().handle(request).await.unwrap();
        let header =
            |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        Answer {
            status: response.status().as_u16(),
            content_type: header("content-type").unwrap(),
            allow: header("allow"),
            retry_after: header("retry-after"),
            body: text(response.body()),
        }
    }

    /// Invokes the function directly.
    pub async fn direct(&self, event: &Value) -> Result<Value, FunctionError> {
        let request = lambda_http::request::from_str(&event.to_string()).unwrap();
        let response = self.api.clone().handle(request).await?;
        Ok(serde_json::from_str(&text(response.body())).unwrap())
    }

    /// The stored ticket: value, `create_time`, `received_at`.
    pub async fn ticket(&self) -> Option<(String, i64, i64)> {
        stored_ticket(self.state.ticket_item(APPID).await.unwrap().ticket)
    }

    /// The counters that are not zero, by name.
    pub fn counted(&self, names: &[&str]) -> Vec<(String, f64)> {
        let sums = names.iter().map(|name| ((*name).to_owned(), self.metrics.sum(name)));
        sums.filter(|(_, sum)| *sum != 0.0).collect()
    }
}

pub fn stored_ticket(ticket: Option<Ticket>) -> Option<(String, i64, i64)> {
    ticket.map(|ticket| (ticket.value.expose_secret().to_owned(), ticket.create_time, ticket.received_at))
}

/// An answer over HTTP.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub content_type: String,
    pub allow: Option<String>,
    pub retry_after: Option<String>,
    pub body: String,
}

impl Answer {
    /// What WeChat wants to see.
    pub fn is_success(&self) -> bool {
        (self.status, self.content_type.as_str(), self.body.as_str()) == (200, "text/plain", "success")
    }

    /// The status and the problem's code; `success` when there is no problem. A 5xx has a title only.
    pub fn outcome(&self) -> (u16, String) {
        if self.is_success() {
            return (200, "success".to_owned());
        }
        assert_eq!(self.content_type, "application/problem+json", "{self:?}");
        let problem = self.problem();
        let name = if self.status < 500 { "code" } else { "title" };
        (self.status, problem[name].as_str().unwrap().to_owned())
    }

    pub fn problem(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// A file of `events/`.
pub fn event(name: &str) -> Value {
    let path = format!("{}/events/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// A push over API Gateway's HTTP API, with its body in base64.
pub fn http_event(query: &str, body: &[u8]) -> Value {
    let mut event = event("callback-ticket-http-api");
    event["rawQueryString"] = query.into();
    event["body"] = BASE64_STANDARD.encode(body).into();
    event
}

/// The same for a push of the simulator.
pub fn of_built(push: &BuiltPush) -> Value {
    http_event(&push.query_string(), push.body.as_bytes())
}

/// A push in a direct invocation.
pub fn direct_event(push: &BuiltPush) -> Value {
    let query: serde_json::Map<_, _> =
        push.query.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
    json!({ "query": query, "body": push.body })
}

fn text(body: &Body) -> String {
    String::from_utf8(body.as_ref().to_vec()).unwrap()
}
