//! Whatever does not answer, an action of the keeper ends by its deadline. The clock of these tests advances
//! by itself when nothing else happens.

use std::fmt::Debug;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;
use tokio::time::Instant;
use wechat_preauth::operator::Keeper;
use wechat_preauth::platform::{
    Backoff, Clock, CredentialsCache, CredentialsSource, EgressIps, Lease, LeaseAttempt, MemoryCredentials,
    MemoryState, Problem, SecretDocument, SecretsError, Services, StateError, StoredToken, Ticket,
    TicketItem, TicketStore, TokenItem, TokenStore,
};
use wechat_preauth::telemetry::Metrics;
use wechat_preauth::wechat::{ApiHosts, Client, Transport, TransportKind};

const APPID: &str = "wxsim0000000000001";

/// The time of an invocation.
const TIME: Duration = Duration::from_secs(12);

/// How much later than its deadline an action may end.
const GRACE: Duration = Duration::from_millis(210);

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
    async fn take_lease(
        &self,
        _: &str,
        _: &TokenItem,
        _: &Lease,
        _: i64,
    ) -> Result<LeaseAttempt, StateError> {
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
async fn keeper(change: impl FnOnce(&mut Services)) -> (Keeper, WeChat) {
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
        minting: true,
        metrics: Metrics::memory(),
    };
    change(&mut services);
    (Keeper::new(services), wechat)
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

/// The result of an action as text, or the code of its problem. It must end by its deadline.
async fn ended<T: Debug>(action: impl AsyncFnOnce(Instant) -> Result<T, Box<Problem>>) -> (String, Duration) {
    let began = Instant::now();
    let result = action(began + TIME).await;
    let took = began.elapsed();
    assert!(took <= TIME + GRACE, "{took:?}");
    (result.map_or_else(|problem| problem.code.as_str().to_owned(), |done| format!("{done:?}")), took)
}

#[tokio::test(start_paused = true)]
async fn a_silent_wechat_ends_each_action_by_its_deadline() {
    let (keeper, wechat) = keeper(|_| {}).await;
    let (code, _) = ended(async |deadline| keeper.refresh(false, deadline).await).await;
    assert_eq!(code, "WeChat.Timeout");
    // A mint call gets five seconds, and none begins with less than 4.5 s.
    assert_eq!(wechat.calls(), ["api_component_token"; 2]);

    // It may have arrived, so it is not repeated.
    let (code, took) = ended(async |deadline| keeper.start_push_ticket(deadline).await).await;
    assert_eq!((code.as_str(), wechat.calls()), ("WeChat.Timeout", vec!["api_start_push_ticket".to_owned()]));
    assert!(took < TIME / 2, "{took:?}");

    with_a_token(keeper.services()).await;
    let (code, _) = ended(async |deadline| keeper.get_quota(None, deadline).await).await;
    assert_eq!((code.as_str(), wechat.calls()), ("WeChat.Timeout", vec!["get".to_owned(); 3]));
}

#[tokio::test(start_paused = true)]
async fn with_a_silent_wechat_a_diagnosis_is_there_by_its_deadline() {
    let (keeper, wechat) = keeper(|_| {}).await;
    let diagnose = async |deadline| Ok(keeper.diagnose(deadline).await.failed);
    assert_eq!(ended(diagnose).await.0, r#"["host:127.0.0.1:1"]"#);
    assert_eq!(wechat.calls(), ["api_component_token"]);

    with_a_token(keeper.services()).await;
    assert_eq!(ended(diagnose).await.0, r#"["host:127.0.0.1:1"]"#);
    // Calls for the address and calls for a code.
    assert_eq!(wechat.calls(), ["api_create_preauthcode"; 5]);
}

#[tokio::test(start_paused = true)]
async fn a_silent_table_ends_each_action_by_its_deadline() {
    let (keeper, wechat) = keeper(silent_table).await;
    // The second time too: nothing is left behind by the first.
    for _ in 0..2 {
        for force in [false, true] {
            assert_eq!(
                ended(async |deadline| keeper.refresh(force, deadline).await).await.0,
                "WeChat.Timeout"
            );
        }
        assert_eq!(ended(async |deadline| keeper.get_quota(None, deadline).await).await.0, "WeChat.Timeout");
    }
    assert_eq!(wechat.calls(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_silent_table_does_not_hold_back_a_start_push() {
    let (keeper, wechat) = keeper(silent_table).await;
    wechat.answers.store(true, Ordering::Relaxed);
    let answer = async |deadline| Ok(keeper.start_push_ticket(deadline).await?.answer);
    assert_eq!(ended(answer).await.0, r#"Some("ok")"#);
    assert_eq!(wechat.calls(), ["api_start_push_ticket"]);
}

#[tokio::test(start_paused = true)]
async fn a_silent_secret_ends_each_action_by_its_deadline() {
    let (keeper, wechat) = keeper(silent_secret).await;
    for _ in 0..2 {
        for code in [
            ended(async |deadline| keeper.refresh(false, deadline).await).await.0,
            ended(async |deadline| keeper.get_quota(None, deadline).await).await.0,
            ended(async |deadline| keeper.start_push_ticket(deadline).await).await.0,
            ended(async |deadline| keeper.clear_quota(deadline).await).await.0,
        ] {
            assert!(["WeChat.Timeout", "Secrets.Unavailable"].contains(&code.as_str()), "{code}");
        }
    }
    assert_eq!(wechat.calls(), [""; 0]);
}
