//! Instances of the service on tokio's paused clock, where time passes as soon as nothing else is left to do.
//! They share one table and one WeChat, and each has a clock and a way to the table of its own.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;
use wechat_preauth::platform::{
    Clock, CredentialsCache, EgressIps, IssueRequest, IssuedCode, Issuer, MemoryCredentials, MemoryState,
    Problem, Role, SecretDocument, Services, StoredToken, Ticket, TicketStore as _, TokenItem,
    TokenStore as _, WechatPages,
};
use wechat_preauth::telemetry::{Metrics, metric};
use wechat_preauth::wechat::{ApiHosts, Client};

use crate::faulty_state::FaultyState;
use crate::scripted_wechat::ScriptedWeChat;
use crate::support::logs;

pub const A: &str = "wxsim00000000000a1";
pub const B: &str = "wxsim00000000000b2";

/// Unix time when a test begins.
const NOON: i64 = 1_772_596_800;

/// Goes with tokio's clock.
#[derive(Clone, Copy)]
struct TimedClock {
    began: Instant,
    skew: i64,
}

impl Clock for TimedClock {
    fn now(&self) -> i64 {
        NOON + self.began.elapsed().as_secs().cast_signed() + self.skew
    }
}

pub const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// The time of most requests here. A mint may use all of its lease.
pub const LIMIT: Duration = secs(22);

/// The credentials secret with this component.
pub fn document(appid: &str) -> SecretDocument {
    let json = json!({ "component_appid": appid, "component_appsecret": "sim-secret-000000" });
    SecretDocument { json: json.to_string().into(), version: appid.to_owned() }
}

pub struct TimedService {
    pub table: Arc<MemoryState>,
    pub wechat: ScriptedWeChat,
    pub credentials: MemoryCredentials,
    began: Instant,
}

impl TimedService {
    /// Component A with a ticket and without a token.
    pub async fn new() -> Self {
        logs::start();
        let credentials = MemoryCredentials::new("");
        credentials.set(Ok(document(A)));
        let (table, wechat) = (Arc::default(), ScriptedWeChat::new());
        let service = Self { table, wechat, credentials, began: Instant::now() };
        service.ticket_arrives(A).await;
        service
    }

    pub async fn ticket_arrives(&self, appid: &str) {
        let now = self.now();
        let ticket = Ticket { value: "ticket@@@1".to_owned().into(), create_time: now, received_at: now };
        self.table.put_ticket(appid, &ticket).await.unwrap();
    }

    /// Unix time by a clock that is right.
    pub fn now(&self) -> i64 {
        TimedClock { began: self.began, skew: 0 }.now()
    }

    pub async fn item(&self) -> TokenItem {
        self.table.token_item(A).await.unwrap()
    }

    /// The stored token of component A.
    pub async fn stored(&self) -> StoredToken {
        self.item().await.token.unwrap()
    }

    pub fn caller(&self) -> TimedInstance {
        self.instance(Role::Caller, |_| {})
    }

    pub fn keeper(&self) -> TimedInstance {
        self.instance(Role::Keeper, |_| {})
    }

    /// A caller whose clock is ahead by so many seconds.
    pub fn caller_ahead(&self, skew: i64) -> TimedInstance {
        let clock = TimedClock { began: self.began, skew };
        self.instance(Role::Caller, |services| services.clock = Arc::new(clock))
    }

    pub fn instance(&self, role: Role, change: impl FnOnce(&mut Services)) -> TimedInstance {
        let table = FaultyState::new(self.table.clone());
        let hosts = ApiHosts::parse("https://api.weixin.qq.com").unwrap();
        let mut services = Services {
            clock: Arc::new(TimedClock { began: self.began, skew: 0 }),
            tokens: table.clone(),
            tickets: table.clone(),
            credentials: Arc::new(CredentialsCache::new(self.credentials.clone())),
            wechat: Arc::new(Client::new(self.wechat.clone(), hosts)),
            egress: EgressIps::default(),
            pages: WechatPages::default(),
            minting: true,
            metrics: Metrics::memory(),
        };
        change(&mut services);
        let metrics = services.metrics.clone();
        TimedInstance { table, metrics, issuer: Arc::new(Issuer::new(services, role)) }
    }
}

#[derive(Clone)]
pub struct TimedInstance {
    pub table: Arc<FaultyState>,
    pub issuer: Arc<Issuer>,
    pub metrics: Metrics,
}

impl TimedInstance {
    pub async fn issue(&self) -> Result<IssuedCode, Box<Problem>> {
        self.issue_within(LIMIT).await
    }

    pub async fn issue_within(&self, limit: Duration) -> Result<IssuedCode, Box<Problem>> {
        self.issuer.issue(&IssueRequest::default(), Instant::now() + limit).await
    }

    /// The token after a refresh.
    pub async fn refresh(&self, force: bool) -> Result<StoredToken, Box<Problem>> {
        self.issuer.tokens().refresh(force, Instant::now() + LIMIT).await.map(|active| active.token)
    }

    pub fn foreign_mints(&self) -> f64 {
        self.metrics.sum(metric::FOREIGN_MINT)
    }
}
