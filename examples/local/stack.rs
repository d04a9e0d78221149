//! The three functions. WeChat is the simulator, and what AWS would store is in memory.

use std::sync::Arc;
use std::time::Duration;

use lambda_runtime::{Context, LambdaEvent};
use serde_json::json;
use wechat_preauth::api::callback::CallbackHandler;
use wechat_preauth::api::keeper::KeeperHandler;
use wechat_preauth::api::preauthcode::PreAuthCodeHandler;
use wechat_preauth::platform::{
    CredentialsCache, EgressIps, MemoryBus, MemoryCredentials, MemoryState, PushServices, Services,
    SystemClock,
};
use wechat_preauth::telemetry::Metrics;
use wechat_preauth::tls::TrustRoots;
use wechat_preauth::wechat::http::http_client;
use wechat_preauth::wechat::{ApiHosts, Client};
use wechat_sim::{Sim, SimConfig};

use crate::{Error, serve};

/// Where the simulator listens, unless the port is taken.
const WECHAT: &str = "127.0.0.1:8090";

/// How often WeChat pushes a ticket.
const PUSH_INTERVAL: Duration = Duration::from_secs(600);

/// How often the keeper is invoked.
const REFRESH_INTERVAL: Duration = Duration::from_secs(60);

/// A running simulator and the functions.
pub struct Parts {
    pub wechat: Sim,
    pub preauthcode: Arc<PreAuthCodeHandler>,
    pub callback: Arc<CallbackHandler>,
    pub keeper: Arc<KeeperHandler>,
}

impl Parts {
    /// Starts the simulator and creates the functions.
    pub async fn start(once: bool) -> Result<Self, Error> {
        let config = SimConfig {
            listen: serve::free_address(WECHAT, once)?,
            push_interval: Some(PUSH_INTERVAL),
            ..SimConfig::default()
        };
        let wechat = Sim::start(config).await?;
        let config = wechat.config();
        let secret = json!({
            "component_appid": config.component_appid,
            "component_appsecret": config.component_appsecret,
            "push_keys": [{ "token": config.push_token, "encoding_aes_key": config.encoding_aes_key }],
        });
        let state = Arc::new(MemoryState::default());
        let services = Services {
            clock: Arc::new(SystemClock),
            tokens: state.clone(),
            tickets: state,
            credentials: Arc::new(CredentialsCache::new(MemoryCredentials::new(&secret.to_string()))),
            wechat: Arc::new(Client::new(
                http_client(&TrustRoots::default())?,
                ApiHosts::parse(&wechat.url())?,
            )),
            egress: EgressIps::parse("127.0.0.1")?,
            minting: true,
            metrics: Metrics::nowhere(),
        };
        let push_services = PushServices {
            clock: services.clock.clone(),
            tickets: services.tickets.clone(),
            credentials: services.credentials.clone(),
            bus: Arc::new(MemoryBus::default()),
            metrics: services.metrics.clone(),
        };
        Ok(Self {
            wechat,
            preauthcode: PreAuthCodeHandler::new(services.clone()),
            keeper: KeeperHandler::new(services),
            callback: CallbackHandler::new(push_services, Duration::ZERO),
        })
    }

    /// Invokes the keeper every minute, as EventBridge does on AWS. Never ends.
    pub async fn keep_fresh(&self) {
        let mut minute = tokio::time::interval(REFRESH_INTERVAL);
        loop {
            minute.tick().await;
            let event = LambdaEvent::new(json!({ "action": "refresh" }), Context::default());
            // The keeper logs a failure, and tries again a minute later.
            drop(self.keeper.clone().handle(event).await);
        }
    }
}
