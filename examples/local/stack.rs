//! The four functions. WeChat is the simulator, and what AWS would store is in memory.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use lambda_runtime::{Context, LambdaEvent};
use serde_json::json;
use wechat_preauth::api::authorize::AuthorizeHandler;
use wechat_preauth::api::callback::CallbackHandler;
use wechat_preauth::api::in_process::InProcess;
use wechat_preauth::api::keeper::KeeperHandler;
use wechat_preauth::api::pages::Site;
use wechat_preauth::api::preauthcode::PreAuthCodeHandler;
use wechat_preauth::platform::links::{LinkServices, MemoryLinks, PagesOrigin};
use wechat_preauth::platform::{
    CredentialsCache, EgressIps, MemoryCredentials, MemoryState, PushServices, Services, WechatPages,
};
use wechat_preauth::telemetry::Metrics;
use wechat_preauth::tls::TrustRoots;
use wechat_preauth::wechat::http::http_client;
use wechat_preauth::wechat::{ApiHosts, Client};
use wechat_sim::{Sim, SimConfig};

use crate::bus::ConsoleBus;
use crate::time::SimulatedTime;
use crate::{Error, serve};

/// Where the simulator listens, unless the port is taken.
const WECHAT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8090);

/// How often WeChat pushes a ticket.
const PUSH_INTERVAL: Duration = Duration::from_secs(600);

/// How often the keeper is invoked.
const REFRESH_INTERVAL: Duration = Duration::from_secs(60);

/// A running simulator and the functions.
pub struct Parts {
    pub wechat: Sim,
    pub links: Arc<MemoryLinks>,
    pub preauthcode: Arc<PreAuthCodeHandler>,
    pub authorize: Arc<AuthorizeHandler>,
    pub callback: Arc<CallbackHandler>,
    pub keeper: Arc<KeeperHandler>,
}

impl Parts {
    /// Starts the simulator and creates the functions, which are served at `origin`.
    pub async fn start(origin: &str, once: bool) -> Result<Self, Error> {
        let config = SimConfig {
            listen: if once { serve::ANY_PORT } else { WECHAT },
            push_interval: Some(PUSH_INTERVAL),
            // As the platform's 授权发起页域名: the simulator checks it as WeChat does.
            authorization_domain: Some("127.0.0.1".into()),
            ..SimConfig::default()
        };
        let wechat = match Sim::start(config.clone()).await {
            // The port is taken.
            Err(error) if error.kind() == ErrorKind::AddrInUse => {
                Sim::start(SimConfig { listen: serve::ANY_PORT, ..config }).await?
            }
            started => started?,
        };
        let config = wechat.config();
        let secret = json!({
            "component_appid": config.component_appid,
            "component_appsecret": config.component_appsecret,
            "push_keys": [{ "token": config.push_token, "encoding_aes_key": config.encoding_aes_key }],
        });
        let state = Arc::new(MemoryState::default());
        let links = Arc::new(MemoryLinks::default());
        let pages = WechatPages { pc: wechat.url(), mobile: wechat.url() };
        let services = Services {
            clock: Arc::new(SimulatedTime(wechat.clock().clone())),
            tokens: state.clone(),
            tickets: state,
            credentials: Arc::new(CredentialsCache::new(MemoryCredentials::new(&secret.to_string()))),
            wechat: Arc::new(Client::new(
                http_client(&TrustRoots::default())?,
                ApiHosts::parse(&wechat.url())?,
            )),
            egress: EgressIps::parse("127.0.0.1")?,
            pages: pages.clone(),
            minting: true,
            metrics: Metrics::nowhere(),
        };
        let push_services = PushServices {
            clock: services.clock.clone(),
            tickets: services.tickets.clone(),
            links: links.clone(),
            credentials: services.credentials.clone(),
            bus: Arc::new(ConsoleBus),
            metrics: services.metrics.clone(),
        };
        let preauthcode = PreAuthCodeHandler::new(services.clone());
        let link_services = LinkServices {
            clock: services.clock.clone(),
            links: links.clone(),
            codes: Arc::new(InProcess(preauthcode.clone())),
            origin: PagesOrigin::parse(origin)?,
            metrics: services.metrics.clone(),
        };
        let site = Site::new(origin, Some("示例平台"), [&pages.pc, &pages.mobile]);
        Ok(Self {
            wechat,
            links,
            preauthcode,
            authorize: AuthorizeHandler::new(link_services, site),
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
