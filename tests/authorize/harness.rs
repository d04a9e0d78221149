//! The function `authorize` with its links in memory, and a `preauthcode` that answers as it is told.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use lambda_http::{Body, Response};
use serde_json::{Value, json};
use tokio::time::Instant;
use wechat_preauth::api::FunctionError;
use wechat_preauth::api::authorize::AuthorizeHandler;
use wechat_preauth::api::pages::Site;
use wechat_preauth::platform::links::{
    CodeFunction, Invoked, LinkServices, MemoryLinks, NotInvoked, PagesOrigin,
};
use wechat_preauth::platform::{Cause, Clock, ProblemCode};
use wechat_preauth::telemetry::Metrics;

use crate::support;

pub const ORIGIN: &str = "https://auth.example.com";
pub const NOW: i64 = 1_795_343_400;
/// The code in the answers of `preauthcode`, and its fingerprint there.
pub const CODE: &str = "preauthcode@@@TEST-only";
pub const FINGERPRINT: &str = "dc304e8dd012";
pub const PHONE_IN_WECHAT: &str =
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) MicroMessenger/8.0.50";

/// A clock that a test sets.
#[derive(Debug, Default)]
pub struct Hands(Mutex<i64>);

impl Hands {
    pub fn set(&self, now: i64) {
        *self.0.lock().unwrap() = now;
    }
}

impl Clock for Hands {
    fn now(&self) -> i64 {
        *self.0.lock().unwrap()
    }
}

/// What `preauthcode` does next.
#[derive(Clone)]
pub enum Next {
    Code,
    Problem(ProblemCode, Value),
    /// Lambda's own error object.
    Crash(&'static str),
    Unreachable,
    /// Lambda runs nothing.
    Refused,
    Answer(&'static str),
    Hangs,
}

/// `preauthcode`, and the events it got.
pub struct Preauthcode {
    pub next: Mutex<Next>,
    pub events: Mutex<Vec<Value>>,
}

#[async_trait]
impl CodeFunction for Preauthcode {
    async fn invoke(&self, event: Vec<u8>, _: Instant) -> Result<Invoked, NotInvoked> {
        self.events.lock().unwrap().push(serde_json::from_slice(&event).unwrap());
        let next = self.next.lock().unwrap().clone();
        let (payload, failed) = match next {
            Next::Code => {
                let page = |page: &str| format!("{page}&pre_auth_code=preauthcode%40%40%40TEST-only");
                let urls = json!({
                    "pc": page("https://mp.weixin.qq.com/cgi-bin/componentloginpage?a=b"),
                    "mobile": page("https://open.weixin.qq.com/wxaopen/safe/bindcomponent?a=b") + "#wechat_redirect",
                });
                let answer = json!({
                    "component_appid": "wx134c8103faa5a59e", "pre_auth_code": CODE, "expires_in": 1800,
                    "code_fingerprint": FINGERPRINT, "authorization_urls": urls,
                });
                (answer.to_string(), false)
            }
            Next::Problem(code, problem) => {
                let error = json!({ "errorType": code.as_str(), "errorMessage": problem.to_string() });
                (error.to_string(), true)
            }
            Next::Crash(error) => (error.to_owned(), true),
            Next::Answer(answer) => (answer.to_owned(), false),
            Next::Unreachable => return Err(NotInvoked { cause: "no connection".into(), unclear: true }),
            Next::Refused => {
                return Err(NotInvoked { cause: "TooManyRequestsException".into(), unclear: false });
            }
            Next::Hangs => std::future::pending().await,
        };
        Ok(Invoked { payload: payload.into_bytes(), failed })
    }

    async fn may_invoke(&self) -> Result<(), Cause> {
        match *self.next.lock().unwrap() {
            Next::Unreachable => Err("AccessDeniedException".into()),
            _ => Ok(()),
        }
    }
}

pub struct Harness {
    pub api: Arc<AuthorizeHandler>,
    pub links: Arc<MemoryLinks>,
    pub preauthcode: Arc<Preauthcode>,
    pub clock: Arc<Hands>,
    pub metrics: Metrics,
}

impl Harness {
    pub fn new() -> Self {
        support::logs::start();
        let (links, clock, metrics) = (Arc::default(), Arc::new(Hands::default()), Metrics::memory());
        clock.set(NOW);
        let preauthcode = Arc::new(Preauthcode { next: Mutex::new(Next::Code), events: Mutex::default() });
        let services = LinkServices {
            clock: clock.clone(),
            links: Arc::clone(&links) as _,
            codes: preauthcode.clone(),
            origin: PagesOrigin::parse(ORIGIN).unwrap(),
            metrics: metrics.clone(),
        };
        let origins = ["https://mp.weixin.qq.com", "https://open.weixin.qq.com"];
        let site = Site::new(ORIGIN, Some("示例平台"), origins);
        Self { api: AuthorizeHandler::new(services, site), links, preauthcode, clock, metrics }
    }

    pub fn preauthcode(&self, next: Next) {
        *self.preauthcode.next.lock().unwrap() = next;
    }

    /// How often `preauthcode` was invoked.
    pub fn invocations(&self) -> usize {
        self.preauthcode.events.lock().unwrap().len()
    }

    /// Invokes the function over HTTP, as API Gateway's REST API does.
    pub async fn http(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let event = rest_event(method, target, headers, body);
        let request = lambda_http::request::from_str(&event.to_string()).unwrap();
        Answer::new(&self.api.clone().handle(request).await.unwrap())
    }

    /// The same on the owners' route, which IAM guards.
    pub async fn owner(&self, method: &str, body: &str) -> Answer {
        let mut event = rest_event(method, "/authorization-links", &[], body);
        event["resource"] = json!("/authorization-links");
        event["requestContext"]["resourcePath"] = json!("/authorization-links");
        let request = lambda_http::request::from_str(&event.to_string()).unwrap();
        Answer::new(&self.api.clone().handle(request).await.unwrap())
    }

    pub async fn get(&self, target: &str) -> Answer {
        self.http("GET", target, &[], "").await
    }

    pub async fn post(&self, target: &str) -> Answer {
        self.http("POST", target, &[], "").await
    }

    /// Invokes the function directly.
    pub async fn direct(&self, event: &Value) -> Result<Value, FunctionError> {
        let request = lambda_http::request::from_str(&event.to_string()).unwrap();
        let response = self.api.clone().handle(request).await?;
        Ok(serde_json::from_str(&Answer::new(&response).body).unwrap())
    }

    /// Makes a link: its id, and its name.
    pub async fn link(&self, request: &Value) -> (String, String) {
        let answer = self.direct(request).await.unwrap();
        let url = answer["url"].as_str().unwrap();
        let id = url.strip_prefix("https://auth.example.com/authorize/").unwrap();
        (id.to_owned(), answer["link_id"].as_str().unwrap().to_owned())
    }

    /// The counters that are not zero.
    pub fn counted(&self) -> Vec<(&'static str, f64)> {
        let names =
            ["LinkCreated", "AuthorizationStarted", "AuthorizationReturned", "Failure", "FunctionError"];
        let sums = names.into_iter().map(|name| (name, self.metrics.sum(name)));
        sums.filter(|(_, sum)| *sum != 0.0).collect()
    }
}

/// An event of the pages' API, which passes every path on. The query stands in `target`.
pub fn rest_event(method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Value {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut parameters = serde_json::Map::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let values = parameters.entry(name.into_owned()).or_insert_with(|| json!([]));
        values.as_array_mut().unwrap().push(value.into_owned().into());
    }
    let headers: serde_json::Map<_, _> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), json!([value]))).collect();
    json!({
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": method,
        "headers": null,
        "multiValueHeaders": headers,
        "queryStringParameters": null,
        "multiValueQueryStringParameters": parameters,
        "requestContext": {
            "path": format!("/live{path}"), "stage": "live", "requestId": "6f1c", "httpMethod": method,
            "resourcePath": "/{proxy+}", "identity": { "sourceIp": "192.0.2.1" },
        },
        "body": body,
        "isBase64Encoded": false,
    })
}

/// An answer over HTTP.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    fn new(response: &Response<Body>) -> Self {
        let text = |value: &lambda_http::http::HeaderValue| value.to_str().unwrap().to_owned();
        Self {
            status: response.status().as_u16(),
            headers: response.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
            body: String::from_utf8(response.body().to_vec()).unwrap(),
        }
    }

    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// What no answer on a page's route may lack.
    pub fn is_safe(&self) {
        assert_eq!(self.header("cache-control"), "no-store", "{self:?}");
        assert_eq!(self.header("x-frame-options"), "DENY", "{self:?}");
        assert_eq!(self.header("x-content-type-options"), "nosniff", "{self:?}");
        assert_eq!(self.header("x-robots-tag"), "noindex, nofollow", "{self:?}");
        let policy = self.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none';") && !policy.contains("unsafe"), "{policy}");
        assert!(!self.body.contains("preauthcode") && !self.body.contains("wx134c8103faa5a59e"), "{self:?}");
        assert!(!self.body.contains("<script"), "{self:?}");
    }
}
