//! Keepers with a simulator, and with a table and credentials that count their requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use lambda_runtime::{Context, LambdaEvent};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use wechat_preauth::api::keeper::KeeperHandler;
use wechat_preauth::platform::{
    Backoff, CredentialsCache, CredentialsSource, Lease, MemoryCredentials, MemoryState, SecretDocument,
    SecretsError, Services, StateError, StoredToken, Ticket, TicketItem, TicketStore, TokenItem, TokenStore,
};
use wechat_preauth::telemetry::Metrics;
use wechat_sim::{Sim, SimConfig};

use crate::support::logs;
use crate::support::service::{TestService, stop_the_clock};

/// The credentials secret with this appsecret and with push keys.
pub fn document(config: &SimConfig, secret: &str) -> SecretDocument {
    let json = json!({
        "component_appid": config.component_appid,
        "component_appsecret": secret,
        "push_keys": [{ "token": config.push_token, "encoding_aes_key": config.encoding_aes_key }],
    });
    // Secrets Manager gives every version another name.
    static VERSION: AtomicUsize = AtomicUsize::new(0);
    let version = format!("version-{}", VERSION.fetch_add(1, Ordering::Relaxed));
    SecretDocument { json: json.to_string().into(), version }
}

/// A simulator with this configuration, push keys in the secret, and no ticket yet.
pub async fn world_of(config: SimConfig) -> TestService {
    logs::start();
    let wechat = Sim::start(config).await.unwrap();
    stop_the_clock(&wechat);
    let config = wechat.config();
    let credentials = MemoryCredentials::new("");
    credentials.set(Ok(document(config, &config.component_appsecret)));
    let appid = config.component_appid.clone();
    TestService { state: Arc::new(MemoryState::default()), credentials, appid, wechat }
}

/// The same with a ticket.
pub async fn world() -> TestService {
    let world = world_of(SimConfig::default()).await;
    world.ticket_arrives().await;
    world
}

/// Every action of the keeper. Each can come to a call to WeChat, but for `put_token`.
pub fn actions() -> [Value; 10] {
    [
        json!({ "action": "refresh" }),
        json!({ "action": "refresh", "force": true }),
        json!({ "action": "diagnose" }),
        json!({ "action": "probe_address" }),
        json!({ "action": "start_push_ticket" }),
        json!({ "action": "clear_quota", "confirm": true }),
        json!({ "action": "get_quota" }),
        json!({ "action": "get_quota", "cgi_path": "/cgi-bin/component/api_create_preauthcode" }),
        json!({ "action": "explain_rid", "rid": "5f92a0c3-4b491949-0aa4f69d" }),
        json!({ "action": "put_token", "component_access_token": "token", "expires_in": 7200 }),
    ]
}

/// A keeper, and what it has read and written.
pub struct KeeperHarness {
    pub api: Arc<KeeperHandler>,
    pub metrics: Metrics,
    pub state: Arc<Counted>,
    pub secrets: Arc<AtomicUsize>,
}

impl KeeperHarness {
    pub fn new(world: &TestService) -> Self {
        Self::with(world, |_| {})
    }

    pub fn with(world: &TestService, change: impl FnOnce(&mut Services)) -> Self {
        let state = Arc::new(Counted::new(world.state.clone()));
        let secrets = Arc::new(AtomicUsize::new(0));
        let source = CountedSource { inner: world.credentials.clone(), reads: secrets.clone() };
        let mut services = world.services();
        services.tokens = state.clone();
        services.tickets = state.clone();
        services.credentials = Arc::new(CredentialsCache::new(source));
        change(&mut services);
        Self { metrics: services.metrics.clone(), api: KeeperHandler::new(services), state, secrets }
    }

    /// Invokes the keeper. A failure is its `errorType` and the problem.
    pub async fn invoke(&self, event: Value) -> Result<Value, (String, Value)> {
        self.invoke_arn(event, "").await
    }

    /// Invokes the keeper by this ARN.
    pub async fn invoke_arn(&self, event: Value, arn: &str) -> Result<Value, (String, Value)> {
        let mut context = Context::default();
        context.invoked_function_arn = arn.to_owned();
        self.api
            .clone()
            .handle(LambdaEvent::new(event, context))
            .await
            .map_err(|error| (error.code.as_str().to_owned(), serde_json::from_str(&error.message).unwrap()))
    }

    pub async fn refresh(&self) -> Result<Value, (String, Value)> {
        self.invoke(json!({ "action": "refresh" })).await
    }

    pub async fn diagnose(&self) -> Value {
        self.invoke(json!({ "action": "diagnose" })).await.unwrap()
    }

    /// The newest value of a gauge.
    pub fn gauge(&self, name: &str) -> Option<f64> {
        self.metrics.lines().iter().rev().find_map(|line| line[name].as_f64())
    }
}

/// A table that counts its requests, and that can fail.
pub struct Counted {
    inner: Arc<MemoryState>,
    pub reads: AtomicUsize,
    pub writes: AtomicUsize,
    pub down: AtomicBool,
}

impl Counted {
    fn new(inner: Arc<MemoryState>) -> Self {
        Self { inner, reads: AtomicUsize::new(0), writes: AtomicUsize::new(0), down: AtomicBool::new(false) }
    }

    /// Reads and writes since the last call.
    pub fn take(&self) -> (usize, usize) {
        (self.reads.swap(0, Ordering::Relaxed), self.writes.swap(0, Ordering::Relaxed))
    }

    fn read(&self) -> Result<&MemoryState, StateError> {
        self.count(&self.reads)
    }

    fn write(&self) -> Result<&MemoryState, StateError> {
        self.count(&self.writes)
    }

    fn count(&self, counter: &AtomicUsize) -> Result<&MemoryState, StateError> {
        counter.fetch_add(1, Ordering::Relaxed);
        if self.down.load(Ordering::Relaxed) {
            return Err(StateError("no connection".into()));
        }
        Ok(&self.inner)
    }
}

#[async_trait]
impl TokenStore for Counted {
    async fn token_item(&self, appid: &str) -> Result<TokenItem, StateError> {
        self.read()?.token_item(appid).await
    }
    async fn take_lease(
        &self,
        appid: &str,
        seen: &TokenItem,
        lease: &Lease,
        now: i64,
    ) -> Result<bool, StateError> {
        self.write()?.take_lease(appid, seen, lease, now).await
    }
    async fn store_token(&self, appid: &str, holder: &str, token: &StoredToken) -> Result<bool, StateError> {
        self.write()?.store_token(appid, holder, token).await
    }
    async fn store_failure(
        &self,
        appid: &str,
        holder: &str,
        backoff: &Backoff,
        expires_at: Option<i64>,
    ) -> Result<bool, StateError> {
        self.write()?.store_failure(appid, holder, backoff, expires_at).await
    }
    async fn release_lease(&self, appid: &str, holder: &str) -> Result<(), StateError> {
        self.write()?.release_lease(appid, holder).await
    }
    async fn put_token(&self, appid: &str, token: &StoredToken, replace: bool) -> Result<bool, StateError> {
        self.write()?.put_token(appid, token, replace).await
    }
    async fn component(&self) -> Result<Option<String>, StateError> {
        self.read()?.component().await
    }
    async fn remember_component(&self, appid: &str) -> Result<(), StateError> {
        self.write()?.remember_component(appid).await
    }
}

#[async_trait]
impl TicketStore for Counted {
    async fn ticket_item(&self, appid: &str) -> Result<TicketItem, StateError> {
        self.read()?.ticket_item(appid).await
    }
    async fn put_ticket(&self, appid: &str, ticket: &Ticket) -> Result<bool, StateError> {
        self.write()?.put_ticket(appid, ticket).await
    }
    async fn claim_start_push(&self, appid: &str, now: i64, not_since: i64) -> Result<bool, StateError> {
        self.write()?.claim_start_push(appid, now, not_since).await
    }
}

struct CountedSource {
    inner: MemoryCredentials,
    reads: Arc<AtomicUsize>,
}

#[async_trait]
impl CredentialsSource for CountedSource {
    async fn fetch(&self) -> Result<SecretDocument, SecretsError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.inner.fetch().await
    }
}

/// A token that another program minted.
pub fn handed_over(world: &TestService) -> SecretString {
    world.wechat.mint().into()
}

/// The value of the stored token.
pub async fn stored(world: &TestService) -> Option<String> {
    let item = world.state.token_item(&world.appid).await.unwrap();
    item.token.map(|token| token.value.expose_secret().to_owned())
}
