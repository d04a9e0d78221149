//! The parts: WeChat is the simulator, and what AWS would keep is kept in memory.

use std::sync::Arc;
use std::time::Duration;

use lambda_runtime::{Context, LambdaEvent};
use serde_json::json;
use wechat_preauth::api::callback::CallbackApi;
use wechat_preauth::api::keeper::KeeperApi;
use wechat_preauth::api::preauthcode::PreAuthCodeApi;
use wechat_preauth::platform::{
    CredentialsKeeper, EgressIps, Intake, MemoryBus, MemoryCredentials, MemoryState, Outside, SystemClock,
};
use wechat_preauth::telemetry::Metrics;
use wechat_preauth::trust::TrustRoots;
use wechat_preauth::wechat::http::http_client;
use wechat_preauth::wechat::{ApiHosts, Client};
use wechat_sim::{Sim, SimConfig};

use crate::{Error, serve};

/// Where the simulator listens, unless somebody else does.
const WECHAT: &str = "127.0.0.1:8090";

/// WeChat's schedule.
const PUSH_INTERVAL: Duration = Duration::from_secs(600);

/// The keeper's schedule.
const REFRESH_INTERVAL: Duration = Duration::from_secs(60);

/// A running simulator and the functions.
pub struct Parts {
    pub wechat: Sim,
    pub preauthcode: Arc<PreAuthCodeApi>,
    pub callback: Arc<CallbackApi>,
    pub keeper: Arc<KeeperApi>,
}

impl Parts {
    /// Starts the simulator and builds the functions on it.
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
        let outside = Outside {
            clock: Arc::new(SystemClock),
            state: Arc::new(MemoryState::default()),
            credentials: Arc::new(CredentialsKeeper::new(MemoryCredentials::new(&secret.to_string()))),
            wechat: Arc::new(Client::new(
                http_client(&TrustRoots::default())?,
                ApiHosts::parse(&wechat.url())?,
            )),
            egress: EgressIps::parse("127.0.0.1")?,
            minting: true,
            metrics: Metrics::nowhere(),
        };
        let intake = Intake {
            clock: outside.clock.clone(),
            state: outside.state.clone(),
            credentials: outside.credentials.clone(),
            bus: Arc::new(MemoryBus::default()),
            metrics: outside.metrics.clone(),
        };
        Ok(Self {
            wechat,
            preauthcode: PreAuthCodeApi::new(outside.clone()),
            keeper: KeeperApi::new(outside),
            callback: CallbackApi::new(intake, Duration::ZERO),
        })
    }

    /// What EventBridge does on AWS: wakes the keeper every minute, for as long as this runs.
    pub async fn keep_fresh(&self) {
        let mut minute = tokio::time::interval(REFRESH_INTERVAL);
        loop {
            minute.tick().await;
            let event = LambdaEvent::new(json!({ "action": "refresh" }), Context::default());
            // The keeper logs what went wrong, and the next minute tries again.
            drop(self.keeper.clone().handle(event).await);
        }
    }
}
