//! Instances of the service against the simulator, in one process: the same code that the Lambda binaries run, with
//! the state in memory.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;
use wechat_preauth::platform::{
    Clock, CredentialsCache, EgressIps, IssueRequest, IssuedCode, Issuer, MemoryCredentials, MemoryState,
    Problem, Role, Services, Ticket, TicketStore as _, WechatPages,
};
use wechat_preauth::telemetry::Metrics;
use wechat_preauth::tls::TrustRoots;
use wechat_preauth::wechat::http::http_client;
use wechat_preauth::wechat::{ApiHosts, Client};
use wechat_sim::{Sim, SimClock, SimConfig};

/// The simulator's clock as the service's clock. Tests move it.
pub struct SimTime(pub SimClock);

impl Clock for SimTime {
    fn now(&self) -> i64 {
        i64::try_from(self.0.now_unix()).unwrap()
    }
}

/// A simulated WeChat, and the state and the credentials that all instances share.
pub struct TestService {
    pub wechat: Sim,
    pub state: Arc<MemoryState>,
    pub credentials: MemoryCredentials,
    pub appid: String,
}

/// The time at which tests begin: 4 March 2026, noon in Beijing, far from the end of a day.
const NOON: u64 = 1_772_596_800;

/// Stops the clock. A test moves it.
pub fn stop_the_clock(wechat: &Sim) {
    wechat.clock().set(NOON);
    wechat.clock().freeze();
}

impl TestService {
    /// A service whose ticket has arrived.
    pub async fn new() -> Self {
        let service = Self::without_ticket().await;
        service.ticket_arrives().await;
        service
    }

    pub async fn without_ticket() -> Self {
        super::logs::start();
        let wechat = Sim::start(SimConfig::default()).await.unwrap();
        stop_the_clock(&wechat);
        let config = wechat.config();
        let appid = config.component_appid.clone();
        let secret = json!({ "component_appid": appid, "component_appsecret": config.component_appsecret });
        let credentials = MemoryCredentials::new(&secret.to_string());
        Self { state: Arc::new(MemoryState::default()), credentials, appid, wechat }
    }

    /// Stores a new ticket.
    pub async fn ticket_arrives(&self) {
        let now = self.now();
        let ticket = Ticket { value: self.wechat.issue_ticket().into(), create_time: now, received_at: now };
        self.state.put_ticket(&self.appid, &ticket).await.unwrap();
    }

    pub fn now(&self) -> i64 {
        SimTime(self.wechat.clock().clone()).now()
    }

    pub fn advance(&self, seconds: u64) {
        self.wechat.clock().advance(Duration::from_secs(seconds));
    }

    /// The services of a new instance, with a connection pool of its own.
    pub fn services(&self) -> Services {
        let http = http_client(&TrustRoots::default()).unwrap();
        Services {
            clock: Arc::new(SimTime(self.wechat.clock().clone())),
            tokens: self.state.clone(),
            tickets: self.state.clone(),
            credentials: Arc::new(CredentialsCache::new(self.credentials.clone())),
            wechat: Arc::new(Client::new(http, ApiHosts::parse(&self.wechat.url()).unwrap())),
            egress: EgressIps::parse("203.0.113.7").unwrap(),
            pages: WechatPages::default(),
            minting: true,
            metrics: Metrics::memory(),
        }
    }

    /// A new instance that issues codes.
    pub fn instance(&self) -> Instance {
        self.instance_with(|_| {})
    }

    pub fn instance_with(&self, change: impl FnOnce(&mut Services)) -> Instance {
        let mut services = self.services();
        change(&mut services);
        let issuer = Arc::new(Issuer::new(services.clone(), Role::Caller));
        Instance { metrics: services.metrics, issuer }
    }

    /// A keeper's issuer: it renews from ten minutes before expiry.
    pub fn keeper(&self) -> Issuer {
        Issuer::new(self.services(), Role::Keeper)
    }

    /// How often the token API was called.
    pub fn mints(&self) -> usize {
        self.wechat.calls(wechat_sim::Endpoint::ComponentToken)
    }

    /// How often the code API was called.
    pub fn code_calls(&self) -> usize {
        self.wechat.calls(wechat_sim::Endpoint::CreatePreAuthCode)
    }
}

#[derive(Clone)]
pub struct Instance {
    pub issuer: Arc<Issuer>,
    pub metrics: Metrics,
}

impl Instance {
    pub async fn issue(&self) -> Result<IssuedCode, Box<Problem>> {
        self.issue_within(Duration::from_secs(20)).await
    }

    pub async fn issue_within(&self, limit: Duration) -> Result<IssuedCode, Box<Problem>> {
        self.issuer.issue(&IssueRequest::default(), Instant::now() + limit).await
    }
}

/// A deadline that no test reaches.
pub fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}
