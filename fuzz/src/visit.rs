//! Visits of the merchant's pages, made from arbitrary fields, and what every answer must be.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use lambda_http::aws_lambda_events::apigw::ApiGatewayProxyRequestContext;
use lambda_http::http::{HeaderName, HeaderValue, Method};
use lambda_http::request::RequestContext;
use lambda_http::{Body, Request, RequestExt as _, Response};
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use tokio::time::Instant;

use crate::api::authorize::AuthorizeHandler;
use crate::api::pages::Site;
use crate::event::Word;
use crate::platform::links::{
    CodeFunction, Invoked, Link, LinkId, LinkServices, LinkStore as _, MemoryLinks, NotInvoked, PagesOrigin,
};
use crate::platform::{Cause, SystemClock};
use crate::telemetry::Metrics;

/// The owners' route.
const LINKS: &str = "/authorization-links";
const ORIGIN: &str = "https://auth.example.com";
/// The one link that exists.
const ID: &str = "MDEyMzQ1Njc4OWFiY2RlZg";
const RETURN_URL: &str = "https://shop.example.com/done";
/// In no answer: it is in the function's answer beside what the pages use.
const SECRET: &str = "preauthcode@@@SECRET";

/// The answer of `preauthcode`.
#[derive(Debug, Arbitrary)]
pub enum Answer {
    /// A code.
    Code,
    /// A code with these URLs.
    Urls(String, String),
    /// A problem with this `errorType` and `errorMessage`.
    Problem(Word, String),
    /// Any bytes, as an answer or as an error.
    Bytes(Vec<u8>, bool),
    /// None.
    Nothing,
}

/// One visit.
#[derive(Debug, Arbitrary)]
pub struct Visit {
    resource: Word,
    method: Word,
    route: Word,
    id: Word,
    query: Vec<(Word, Word)>,
    headers: Vec<(Word, Word)>,
    body: Vec<u8>,
    answer: Answer,
    /// Whether a code was taken before.
    started: bool,
}

struct Preauthcode(Mutex<Option<Invoked>>);

#[async_trait]
impl CodeFunction for Preauthcode {
    async fn invoke(&self, event: Vec<u8>, _: Instant) -> Result<Invoked, NotInvoked> {
        let event: serde_json::Value = serde_json::from_slice(&event).unwrap();
        assert_eq!(event["redirect_uri"], format!("{ORIGIN}/authorized/{ID}"));
        self.0.lock().unwrap().take().ok_or(NotInvoked { cause: "no connection".into(), unclear: true })
    }

    async fn may_invoke(&self) -> Result<(), Cause> {
        Ok(())
    }
}

impl Answer {
    fn invoked(&self) -> Option<Invoked> {
        let code = |pc: &str, mobile: &str| {
            let answer = serde_json::json!({
                "pre_auth_code": SECRET, "code_fingerprint": "0123456789ab", "expires_in": 1800,
                "authorization_urls": { "pc": pc, "mobile": mobile },
            });
            Invoked { payload: answer.to_string().into_bytes(), failed: false }
        };
        Some(match self {
            Self::Code => code("https://mp.weixin.qq.com/x", "https://open.weixin.qq.com/y"),
            Self::Urls(pc, mobile) => code(pc, mobile),
            Self::Problem(kind, message) => {
                let kind = kind.of(&[
                    "WeChat.Busy",
                    "Token.Pending",
                    "Config.EgressIpNotRegistered",
                    "Request.Invalid",
                ]);
                let error = serde_json::json!({ "errorType": kind, "errorMessage": message });
                Invoked { payload: error.to_string().into_bytes(), failed: true }
            }
            Self::Bytes(bytes, failed) => Invoked { payload: bytes.clone(), failed: *failed },
            Self::Nothing => return None,
        })
    }
}

impl Visit {
    /// Makes the visit, and checks the answer.
    pub fn check(&self) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let Some(request) = self.request() else { return };
        let links = Arc::new(MemoryLinks::default());
        let services = LinkServices {
            clock: Arc::new(SystemClock),
            links: links.clone(),
            codes: Arc::new(Preauthcode(Mutex::new(self.answer.invoked()))),
            origin: PagesOrigin::parse(ORIGIN).unwrap(),
            metrics: Metrics::nowhere(),
        };
        let site = Site::new(ORIGIN, None, ["https://mp.weixin.qq.com", "https://open.weixin.qq.com"]);
        let handler = AuthorizeHandler::new(services, site);
        let answer = runtime.block_on(async {
            let link = Link {
                return_url: Some(RETURN_URL.into()),
                expires_at: i64::MAX,
                starts: u32::from(self.started),
                ..Link::default()
            };
            links.create_link(&LinkId::parse(ID).unwrap().link_id(), &link, 0).await.unwrap();
            handler.handle(request).await.unwrap()
        });
        self.is_safe(&answer);
    }

    fn request(&self) -> Option<Request> {
        let route =
            self.route.of(&["/authorize/", "/authorized/", "/live/authorize/", "/authorization-links"]);
        let path = route + &self.id.of(&[ID, "authorization-links"]);
        let mut query: std::collections::HashMap<String, Vec<String>> = std::collections::HashMap::new();
        for (name, value) in &self.query {
            let name = name.of(&["auth_code", "expires_in", "lang", "handoff", "return_url"]);
            query.entry(name).or_default().push(value.of(&[
                "queryauthcode@@@x",
                "600",
                "en",
                "link",
                "https://evil.example",
            ]));
        }
        let mut request = Request::new(Body::Binary(self.body.clone()));
        *request.method_mut() =
            Method::from_bytes(self.method.of(&["GET", "POST", "PUT"]).as_bytes()).ok()?;
        for (name, value) in &self.headers {
            let name = name.of(&["user-agent", "accept-language", "host", "referer"]);
            let value = value.of(&["MicroMessenger", "wxwork", "iPhone", "zh-CN,en;q=0.5", "evil.example"]);
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            request.headers_mut().append(name, HeaderValue::from_bytes(value.as_bytes()).ok()?);
        }
        let mut context = ApiGatewayProxyRequestContext::default();
        context.resource_path = Some(self.resource());
        let request = request.with_request_context(RequestContext::ApiGatewayV1(context));
        Some(request.with_raw_http_path(&path).with_query_string_parameters(query))
    }

    /// The resource by which API Gateway has let the request through.
    fn resource(&self) -> String {
        self.resource.of(&["/{proxy+}", LINKS])
    }

    fn is_safe(&self, answer: &Response<Body>) {
        let header = |name: &str| answer.headers().get(name).map_or("", |value| value.to_str().unwrap());
        let body = String::from_utf8(answer.body().to_vec()).unwrap();
        assert_eq!(header("cache-control"), "no-store");
        assert!(!body.contains(SECRET) && !body.contains("<script"), "{body}");
        let location = header("location");
        if location.starts_with(RETURN_URL) {
            let query = url::Url::parse(location).unwrap();
            let codes = query.query_pairs().filter(|(name, _)| name == "auth_code").count();
            assert_eq!((codes, header("referrer-policy")), (1, "no-referrer"));
        } else if !location.is_empty() {
            // The URL of the function's answer, as it is.
            let known = ["https://mp.weixin.qq.com/x", "https://open.weixin.qq.com/y"];
            let given =
                matches!(&self.answer, Answer::Urls(pc, mobile) if location == pc || location == mobile);
            let bytes = matches!(&self.answer, Answer::Bytes(..));
            assert!(known.contains(&location) || given || bytes, "{location}");
            assert_eq!(header("referrer-policy"), "origin");
        }
        // JSON is for owners.
        if self.resource() != LINKS {
            assert!(header("content-security-policy").starts_with("default-src 'none'"));
            assert_eq!((header("x-frame-options"), header("x-robots-tag")), ("DENY", "noindex, nofollow"));
        }
    }
}
