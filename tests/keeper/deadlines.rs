//! Whatever does not answer, an action of the keeper ends by its deadline. The clock of these tests advances
//! by itself when nothing else happens.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use lambda_runtime::{Context, LambdaEvent};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};
use wechat_preauth::api::keeper::KeeperHandler;
use wechat_preauth::platform::{
    Backoff, Clock, CredentialsCache, CredentialsSource, EgressIps, Lease, MemoryCredentials, MemoryState,
    SecretDocument, SecretsError, Services, StateError, StoredToken, Ticket, TicketItem, TicketStore,
    TokenItem, TokenStore, WechatPages,
};
use wechat_preauth::telemetry::Metrics;
use wechat_preauth::wechat::{ApiHosts, Client, Transport, TransportKind};

const APPID: &str = "wxsim0000000000001";

/// The time of an invocation whose context has no deadline. Half a second of it is for the answer.
const TIME: Duration = Duration::from_secs(12);

struct Noon;

impl Clock for Noon {
    fn now(&self) -> i64 {
        1_772_596_800
    }
}

/// WeChat, which accepts calls and never answers, or always with `ok`. Holds the names of the calls.
#[derive(Debug, Default, Clone)]
struct WeChat {
    answers: Arc<AtomicBool>,
    calls: Arc<Mutex<Vec<String>>>,
}

impl WeChat {
    /// The calls since the last time.
    fn calls(&self) -> Vec<String> {
        std::mem::take(&mut *self.calls.lock().unwrap())
    }
}

#[async_trait]
impl Transport for WeChat {
    async fn post(&self, url: url::Url, _body: String) -> Result<(u16, Vec<u8>), TransportKind> {
        self.calls.lock().unwrap().push(url.path().rsplit('/').next().unwrap().to_owned());
        match self.answers.load(Ordering::Relaxed) {
            true => Ok((200, br#"{"errcode":0,"errmsg":"ok"}"#.to_vec())),
            false => std::future::pending().await,
        }
    }

    async fn head(&self, _url: url::Url) -> Result<(), TransportKind> {
        std::future::pending().await
    }
}

/// A table or a secret that never answers.
struct Silent;

#[async_trait]
impl CredentialsSource for Silent {
    async fn fetch(&self) -> Result<SecretDocument, SecretsError> {
        std::future::pending().await
    }
}

#[async_trait]
impl TokenStore for Silent {
    async fn token_item(&self, _: &str) -> Result<TokenItem, StateError> {
        std::future::pending().await
    }
    async fn take_lease(&self, _: &str, _: &TokenItem, _: &Lease, _: i64) -> Result<bool, StateError> {
        std::future::pending().await
    }
    async fn store_token(&self, _: &str, _: &str, _: &StoredToken) -> Result<bool, StateError> {
        std::future::pending().await
    }
    async fn store_failure(&self, _: &str, _: &str, _: &Backoff, _: Option<i64>) -> Result<bool, StateError> {
        std::future::pending().await
    }
    async fn release_lease(&self, _: &str, _: &str) -> Result<(), StateError> {
        std::future::pending().await
    }
    async fn put_token(&self, _: &str, _: &StoredToken, _: bool) -> Result<bool, StateError> {
        std::future::pending().await
    }
    async fn component(&self) -> Result<Option<String>, StateError> {
        std::future::pending().await
    }
    async fn remember_component(&self, _: &str) -> Result<(), StateError> {
        std::future::pending().await
    }
}

#[async_trait]
impl TicketStore for Silent {
    async fn ticket_item(&self, _: &str) -> Result<TicketItem, StateError> {
        std::future::pending().await
    }
    async fn put_ticket(&self, _: &str, _: &Ticket) -> Result<bool, StateError> {
        std::future::pending().await
    }
    async fn claim_start_push(&self, _: &str, _: i64, _: i64) -> Result<bool, StateError> {
        std::future::pending().await
    }
}

/// A keeper with a ticket and a silent WeChat.
async fn keeper(change: impl FnOnce(&mut Services)) -> (Arc<KeeperHandler>, WeChat, Services) {
    let (wechat, state) = (WeChat::default(), Arc::new(MemoryState::default()));
    let now = Noon.now();
    let ticket = Ticket { value: "ticket@@@1".to_owned().into(), create_time: now, received_at: now };
    state.put_ticket(APPID, &ticket).await.unwrap();
    let secret = json!({ "component_appid": APPID, "component_appsecret": "sim-secret-000000" });
    let mut services = Services {
        clock: Arc::new(Noon),
        tokens: state.clone(),
        tickets: state,
        credentials: Arc::new(CredentialsCache::new(MemoryCredentials::new(&secret.to_string()))),
        wechat: Arc::new(Client::new(wechat.clone(), ApiHosts::parse("http://127.0.0.1:1").unwrap())),
        egress: EgressIps::default(),
        pages: WechatPages::default(),
        minting: true,
        metrics: Metrics::memory(),
    };
    change(&mut services);
    (KeeperHandler::new(services.clone()), wechat, services)
}

/// Stores a token that is valid for an hour.
async fn with_a_token(services: &Services) {
    let value = "token".to_owned().into();
    let token =
        StoredToken { value, expires_at: Noon.now() + 3600, minted_at: Noon.now() - 3600, uncertain: false };
    services.tokens.put_token(APPID, &token, false).await.unwrap();
}

fn silent_table(services: &mut Services) {
    (services.tokens, services.tickets) = (Arc::new(Silent), Arc::new(Silent));
}

fn silent_secret(services: &mut Services) {
    services.credentials = Arc::new(CredentialsCache::new(Silent));
}

/// The answer to an event, or the code of its problem. It must come within the invocation's time.
async fn ended(keeper: &Arc<KeeperHandler>, event: Value) -> (Value, Duration) {
    let began = Instant::now();
    let work = keeper.clone().handle(LambdaEvent::new(event.clone(), Context::default()));
    let result = timeout(TIME, work).await.unwrap_or_else(|_elapsed| panic!("{event} did not end"));
    (result.unwrap_or_else(|error| error.code.as_str().into()), began.elapsed())
}

/// An action without fields, see [`ended`].
async fn act(keeper: &Arc<KeeperHandler>, action: &str) -> Value {
    ended(keeper, json!({ "action": action })).await.0
}

fn put_token() -> Value {
    let expires_at = Noon.now() + 7000;
    json!({ "action": "put_token", "component_access_token": "handed-over", "expires_at": expires_at })
}

#[tokio::test(start_paused = true)]
async fn a_silent_wechat_ends_each_action_by_its_deadline() {
    let (keeper, wechat, services) = keeper(|_| {}).await;
    assert_eq!(act(&keeper, "refresh").await, "WeChat.Timeout");
    // A mint call gets five seconds, and none begins with less than 4.5 s.
    assert_eq!(wechat.calls(), ["api_component_token"; 2]);

    // It may have arrived, so it is not repeated.
    let (code, took) = ended(&keeper, json!({ "action": "start_push_ticket" })).await;
    assert_eq!((code, wechat.calls()), (json!("WeChat.Timeout"), vec!["api_start_push_ticket".to_owned()]));
    assert!(took < TIME / 2, "{took:?}");

    with_a_token(&services).await;
    assert_eq!(act(&keeper, "get_quota").await, "WeChat.Timeout");
    assert_eq!(wechat.calls(), ["get"; 3]);
}

#[tokio::test(start_paused = true)]
async fn with_a_silent_wechat_a_diagnosis_is_there_by_its_deadline() {
    let (keeper, wechat, services) = keeper(|_| {}).await;
    assert_eq!(act(&keeper, "diagnose").await["failed"], json!(["host:127.0.0.1:1"]));
    assert_eq!(wechat.calls(), ["api_component_token"]);

    with_a_token(&services).await;
    assert_eq!(act(&keeper, "diagnose").await["failed"], json!(["host:127.0.0.1:1"]));
    // Calls for the address and calls for a code.
    let calls = wechat.calls();
    assert!(calls.len() >= 4 && calls.iter().all(|call| call == "api_create_preauthcode"), "{calls:?}");
}

#[tokio::test(start_paused = true)]
async fn with_a_silent_table_a_diagnosis_names_the_table() {
    let (keeper, _, _) = keeper(silent_table).await;
    let report = act(&keeper, "diagnose").await;
    assert_eq!(report["failed"], json!(["state", "host:127.0.0.1:1"]), "{report:#}");
    let state = &report["links"][2];
    assert_eq!((&state["code"], &state["link"]), (&json!("State.Unavailable"), &json!("state")));
}

#[tokio::test(start_paused = true)]
async fn with_a_silent_secret_a_diagnosis_names_the_credentials() {
    let (keeper, _, _) = keeper(silent_secret).await;
    let report = act(&keeper, "diagnose").await;
    assert_eq!(report["failed"], json!(["credentials", "host:127.0.0.1:1"]), "{report:#}");
    assert_eq!(report["links"][0]["code"], "Secrets.Unavailable");
}

#[tokio::test(start_paused = true)]
async fn when_nothing_answers_a_diagnosis_names_everything() {
    let (keeper, _, _) = keeper(|services| {
        silent_table(services);
        silent_secret(services);
    })
    .await;
    let report = act(&keeper, "diagnose").await;
    assert_eq!(report["failed"], json!(["credentials", "state", "host:127.0.0.1:1"]), "{report:#}");
}

#[tokio::test(start_paused = true)]
async fn a_silent_table_ends_each_action_by_its_deadline() {
    let (keeper, wechat, _) = keeper(silent_table).await;
    // The second time too: nothing is left behind by the first.
    for _ in 0..2 {
        for (event, code) in [
            // The keeper's own reads are cut off without a word about the table.
            (json!({ "action": "refresh" }), "WeChat.Timeout"),
            (json!({ "action": "refresh", "force": true }), "WeChat.Timeout"),
            (json!({ "action": "get_quota" }), "State.Unavailable"),
            (json!({ "action": "start_push_ticket" }), "State.Unavailable"),
            (json!({ "action": "clear_quota", "confirm": true }), "State.Unavailable"),
            (json!({ "action": "probe_address" }), "State.Unavailable"),
            (json!({ "action": "explain_rid", "rid": "5f92a0c3-4b491949-0aa4f69d" }), "State.Unavailable"),
        ] {
            assert_eq!(ended(&keeper, event).await.0, code);
        }
    }
    assert_eq!(wechat.calls(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn put_token_ends_by_its_deadline_with_a_silent_table_or_secret() {
    for silent in [silent_table, silent_secret] {
        let (keeper, _, _) = keeper(|services| {
            services.minting = false;
            silent(services);
        })
        .await;
        assert_eq!(ended(&keeper, put_token()).await.0, "WeChat.Timeout");
    }
}

#[tokio::test(start_paused = true)]
async fn a_function_error_is_stamped_with_the_time_at_which_the_invocation_began() {
    let (keeper, _, services) = keeper(silent_table).await;
    let unix_ms = || {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        u64::try_from(since.as_millis()).unwrap()
    };
    let before = unix_ms();
    let (_, took) = ended(&keeper, json!({ "action": "refresh" })).await;
    // The paused clock has moved on by the time that the action took. The metrics' clock has not.
    let took = u64::try_from(took.as_millis()).unwrap();
    assert!(took > 10_000, "{took}");
    let lines = services.metrics.lines();
    let line = lines.iter().find(|line| line["FunctionError"].is_number()).unwrap();
    let stamped = line["_aws"]["Timestamp"].as_u64().unwrap();
    assert!((before - took..=unix_ms() - took).contains(&stamped), "{stamped} is not {before} - {took}");
}

#[tokio::test(start_paused = true)]
async fn a_silent_secret_ends_each_action_by_its_deadline() {
    let (keeper, wechat, _) = keeper(silent_secret).await;
    for _ in 0..2 {
        for event in [
            json!({ "action": "refresh" }),
            json!({ "action": "get_quota" }),
            json!({ "action": "start_push_ticket" }),
            json!({ "action": "clear_quota", "confirm": true }),
        ] {
            let (code, _) = ended(&keeper, event).await;
            assert!(["WeChat.Timeout", "Secrets.Unavailable"].contains(&code.as_str().unwrap()), "{code}");
        }
    }
    assert_eq!(wechat.calls(), [""; 0]);
}
