//! Everything that the four functions do, with success and with failure, on one table and one set of
//! metrics.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use futures_util::future::join;
use lambda_http::{Body, Request, Response};
use serde_json::{Value, json};
use wechat_preauth::api::FunctionError;
use wechat_preauth::api::authorize::AuthorizeHandler;
use wechat_preauth::api::callback::CallbackHandler;
use wechat_preauth::api::preauthcode::PreAuthCodeHandler;
use wechat_preauth::platform::bus::{BusError, MemoryBus};
use wechat_preauth::platform::links::MemoryLinks;
use wechat_preauth::platform::{Lease, PushServices, Services, StoredToken, TokenStore as _};
use wechat_sim::{BuiltPush, Endpoint, Event, Fault, FaultKind, Flaw, Push};

use crate::harness::KeeperHarness;
use crate::support::service::TestService;
use crate::visits;

/// The functions of one scenario. All write the keeper's metrics.
pub struct Scenario<'a> {
    world: &'a TestService,
    keeper: &'a KeeperHarness,
    preauthcode: Arc<PreAuthCodeHandler>,
    callback: Arc<CallbackHandler>,
    pages: Arc<AuthorizeHandler>,
    bus: Arc<MemoryBus>,
    /// Every answer as text, without the codes that callers asked for.
    answers: String,
    /// The ids of all links.
    ids: Vec<String>,
}

impl<'a> Scenario<'a> {
    pub fn new(world: &'a TestService, keeper: &'a KeeperHarness) -> Self {
        let services = Services { metrics: keeper.metrics.clone(), ..world.services() };
        let bus = Arc::new(MemoryBus::default());
        let links = Arc::new(MemoryLinks::default());
        let push_services = PushServices {
            clock: services.clock.clone(),
            tickets: services.tickets.clone(),
            links: links.clone(),
            credentials: services.credentials.clone(),
            bus: bus.clone(),
            metrics: services.metrics.clone(),
        };
        let preauthcode = PreAuthCodeHandler::new(services.clone());
        Self {
            world,
            keeper,
            pages: visits::pages(&services, links, &preauthcode),
            preauthcode,
            callback: CallbackHandler::new(push_services, Duration::ZERO),
            bus,
            answers: String::new(),
            ids: Vec::new(),
        }
    }

    /// Runs all steps. Returns every answer, and the ids of all links.
    pub async fn run(mut self) -> (String, Vec<String>) {
        for fault in [None, Some(61004), Some(61006), Some(40001), Some(40125), Some(-1), Some(45009)] {
            if let Some(errcode) = fault {
                self.world.wechat.inject(Fault::errcode(errcode).forever());
            }
            self.operators_act().await;
            self.callers_ask().await;
            self.wechat_pushes().await;
            self.ids.push(visits::visit(&self.pages).await);
            let rids = self.world.wechat.requests().into_iter().filter_map(|request| {
                let answer: Value = serde_json::from_str(&request.answer).ok()?;
                Some(answer["errmsg"].as_str()?.rsplit(' ').next()?.to_owned())
            });
            self.world.wechat.clear_faults();
            for rid in rids.collect::<Vec<_>>().into_iter().rev().take(3) {
                self.act(json!({ "action": "explain_rid", "rid": rid })).await;
            }
            self.world.advance(7300);
            self.world.ticket_arrives().await;
        }
        self.strangers_push().await;
        self.a_lease_is_lost().await;
        self.another_program_mints().await;
        self.a_code_is_refused().await;
        (self.answers, self.ids)
    }

    async fn act(&mut self, event: Value) {
        self.answers += &format!("{:?}\n", self.keeper.invoke(event).await);
    }

    async fn operators_act(&mut self) {
        for event in [
            json!({ "action": "refresh" }),
            json!({ "action": "diagnose" }),
            json!({ "action": "get_quota" }),
            json!({ "action": "start_push_ticket" }),
            json!({ "action": "clear_quota", "confirm": true }),
            json!({ "action": "clear_quota" }),
            json!({ "action": "put_token", "component_access_token": "planted-token", "expires_at": 1 }),
            json!({ "action": "planted-action", "planted-field": "planted-value" }),
            json!("planted-event"),
        ] {
            self.act(event).await;
        }
    }

    async fn callers_ask(&mut self) {
        for file in ["rest-api.json", "http-api-base64.json", "direct-empty.json"] {
            self.ask(file_request(file)).await;
        }
        for file in [
            "rest-api-get.json",
            "rest-api-other-path.json",
            "rest-api-not-json.json",
            "http-api-unknown-field.json",
            "direct-other-component.json",
            "direct-bad-field.json",
            "direct-array.json",
        ] {
            self.ask(file_request(file)).await;
        }
        // An answer may repeat what its caller sent. The log must not.
        for event in [json!({ "redirect_uri": "planted-by-a-caller" }), json!({ "planted-by-a-caller": 1 })] {
            self.ask(request(&event)).await;
        }
    }

    async fn ask(&mut self, request: Request) {
        let answer = self.preauthcode.clone().handle(request).await;
        self.answers += &without_the_code(&shown(answer));
    }

    /// WeChat's pushes, with a message on the wrong URL; then the same while the bus is down.
    async fn wechat_pushes(&mut self) {
        let ticket = Push::ticket_value(self.world.wechat.issue_ticket());
        let expires = u64::try_from(self.world.now()).unwrap() + 3600;
        let authorized =
            Event::authorized("wxba5fad812f8e6fb9", "planted-auth-code", expires, "planted-pre-auth-code");
        let unknown = Event::info("planned_by_wechat", vec![wechat_sim::Field::text("Any", "planted-text")]);
        for bus_fails in [false, true] {
            self.bus.fail(bus_fails.then(|| BusError("ThrottlingException".into())));
            for push in [
                ticket.clone(),
                Push::new(authorized.clone()),
                Push::new(unknown.clone()),
                Push::sample("unauthorized"),
                Push::new(Event::Message),
            ] {
                let built = self.world.wechat.build_push(&push).unwrap();
                self.push(over_http(&built)).await;
                self.push(directly(&built)).await;
            }
        }
    }

    /// Pushes that must be refused, and requests that are no push.
    async fn strangers_push(&mut self) {
        let ticket = Push::ticket_value(self.world.wechat.issue_ticket());
        for flaw in Flaw::ALL {
            // Two megabytes would take a second to encrypt here; 70 kilobytes are refused as well.
            let huge = flaw == Flaw::Oversized;
            let push = if huge { ticket.clone() } else { ticket.clone().with(flaw) };
            let mut built = self.world.wechat.build_push(&push).unwrap();
            if huge {
                built.body.push_str(&" ".repeat(70_000));
            }
            self.push(over_http(&built)).await;
            self.push(directly(&built)).await;
        }
        for file in ["callback-get-rest-api.json", "callback-ticket-rest-api.json", "rest-api.json"] {
            self.push(file_request(file)).await;
        }
        self.push(request(&json!({ "query": {}, "body": "planted-body", "planted-field": 1 }))).await;
    }

    async fn push(&mut self, request: Request) {
        self.answers += &shown(self.callback.clone().handle(request).await);
    }

    /// A mint takes so long that another instance takes over the lease.
    async fn a_lease_is_lost(&mut self) {
        let fault = FaultKind::Delay { time: Duration::from_millis(100) };
        self.world.wechat.inject(Fault::new(fault).on(Endpoint::ComponentToken));
        let (world, keeper) = (self.world, self.keeper);
        let other = async {
            let mut seen = world.state.token_item(&world.appid).await.unwrap();
            while seen.lease.is_none() {
                tokio::task::yield_now().await;
                seen = world.state.token_item(&world.appid).await.unwrap();
            }
            world.advance(16);
            let now = world.now();
            let lease = Lease { holder: "other".into(), expires_at: now + 15 };
            let taken = world.state.take_lease(&world.appid, &seen, &lease, now).await.unwrap();
            let value = world.wechat.mint().into();
            let token = StoredToken { value, expires_at: now + 7200, minted_at: now, uncertain: false };
            assert!(world.state.store_token(&world.appid, "other", &token).await.unwrap());
            taken
        };
        let (answer, taken) = join(keeper.refresh(), other).await;
        assert!(taken);
        self.answers += &format!("{answer:?}\n");
    }

    /// Another program mints, and the token ends early.
    async fn another_program_mints(&mut self) {
        self.ask(file_request("function-url.json")).await;
        self.world.wechat.foreign_mint();
        self.world.advance(301);
        self.ask(file_request("function-url.json")).await;
    }

    /// WeChat refuses a code call.
    async fn a_code_is_refused(&mut self) {
        self.world.wechat.inject(Fault::errcode(61004).on(Endpoint::CreatePreAuthCode));
        self.ask(file_request("function-url.json")).await;
    }
}

fn request(event: &Value) -> Request {
    lambda_http::request::from_str(&event.to_string()).unwrap()
}

fn file_request(name: &str) -> Request {
    request(&file(name))
}

fn file(name: &str) -> Value {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("events").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn over_http(push: &BuiltPush) -> Request {
    let mut event = file("callback-ticket-http-api.json");
    event["rawQueryString"] = push.query_string().into();
    event["body"] = BASE64_STANDARD.encode(&push.body).into();
    request(&event)
}

fn directly(push: &BuiltPush) -> Request {
    let query: serde_json::Map<_, _> =
        push.query.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
    request(&json!({ "query": query, "body": push.body }))
}

fn shown(answer: Result<Response<Body>, FunctionError>) -> String {
    match answer {
        Ok(response) => {
            let (parts, body) = response.into_parts();
            let body = std::str::from_utf8(body.as_ref()).unwrap().to_owned();
            format!("{} {:?}\n{body}\n", parts.status, parts.headers)
        }
        Err(error) => format!("{error:?}\n"),
    }
}

/// An answer without the only two fields in which the code may stand.
fn without_the_code(answer: &str) -> String {
    let stripped = answer.lines().map(|line| match serde_json::from_str::<Value>(line) {
        Ok(Value::Object(mut fields)) => {
            fields.retain(|name, _| name != "pre_auth_code" && name != "authorization_urls");
            Value::Object(fields).to_string()
        }
        _ => line.to_owned(),
    });
    stripped.collect::<Vec<_>>().join("\n") + "\n"
}
