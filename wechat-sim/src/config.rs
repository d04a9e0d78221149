//! The configuration of a simulator. The default secrets are made up.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::{AuthorizationRules, Endpoint, ErrmsgStyle, SimClock};

/// WeChat: a component access token is valid for two hours.
const TOKEN_LIFETIME: Duration = Duration::from_secs(7200);
/// WeChat staff: after a new mint the old token is valid for five more minutes.
const TOKEN_OVERLAP: Duration = Duration::from_secs(300);
/// WeChat's documentation and every captured answer say 1800 s. Only the documentation's sample answer says 600.
const CODE_LIFETIME: Duration = Duration::from_secs(1800);
/// WeChat: a verify ticket is valid for 12 hours.
const TICKET_LIFETIME: Duration = Duration::from_secs(12 * 3600);
/// What `openapi/quota/get` answered to a developer for `api_component_token`.
const TOKEN_DAILY_QUOTA: u64 = 10_000;
/// WeChat: ten clearings a month, by console and API together.
const CLEARS_PER_MONTH: u32 = 10;
/// WeChat: a receiver of pushes must answer within five seconds.
const PUSH_TIMEOUT: Duration = Duration::from_secs(5);
/// Requests kept in the log. The oldest are dropped first.
const LOG_CAPACITY: usize = 20_000;

/// A certificate chain and its key, both PEM files.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The certificate chain, leaf first.
    pub cert_pem: PathBuf,
    /// The private key (PKCS#8, PKCS#1 or SEC1).
    pub key_pem: PathBuf,
}

/// How a simulator behaves. Start from [`SimConfig::default`] and change what your test needs.
#[derive(Clone)]
pub struct SimConfig {
    /// The platform's appid, 18 characters.
    pub component_appid: String,
    /// The platform's secret, 32 characters.
    pub component_appsecret: String,
    /// 消息校验Token, which signs pushes.
    pub push_token: String,
    /// 消息加解密Key (EncodingAESKey), 43 characters, which encrypts pushes.
    pub encoding_aes_key: String,
    /// The address to listen on. Port 0 takes a free port.
    pub listen: SocketAddr,
    /// 白名单IP地址列表. An empty list admits every address, so that a first try works. WeChat does not do that.
    pub whitelist: Vec<IpAddr>,
    /// The certificate for TLS. Without it the simulator serves plain HTTP.
    pub tls: Option<TlsFiles>,
    /// 授权事件接收URL, which receives the pushes.
    pub callback_url: Option<String>,
    /// A PEM file with one more certificate to trust for an `https://` callback URL.
    pub callback_ca: Option<PathBuf>,
    /// The interval of the ticket pushes. With `None` they come on demand only. WeChat: 10 minutes.
    pub push_interval: Option<Duration>,
    /// The time within which a receiver must answer `success`.
    pub push_timeout: Duration,
    /// How often a failed push is tried again. WeChat's number is not documented.
    pub push_retries: u32,
    /// The pause before each retry.
    pub push_retry_delay: Duration,
    /// Lifetime of a component access token.
    pub token_lifetime: Duration,
    /// How long the old token stays valid after a new mint.
    pub token_overlap: Duration,
    /// Lifetime of a pre-authorization code.
    pub code_lifetime: Duration,
    /// Lifetime of a verify ticket.
    pub ticket_lifetime: Duration,
    /// Calls per day (China time) for each API. An absent API has no limit.
    pub daily_quota: BTreeMap<Endpoint, u64>,
    /// Calls per minute for each API. An absent API has no limit.
    pub minute_quota: BTreeMap<Endpoint, u64>,
    /// How often quotas can be cleared in one month.
    pub clears_per_month: u32,
    /// The style of errmsg.
    pub errmsg_style: ErrmsgStyle,
    /// With `false` every answer has `Connection: close`, as with some of WeChat's gateways.
    pub keep_alive: bool,
    /// 授权发起页域名, a bare host. If set, both authorization pages check the host of `redirect_uri`, and the PC page
    /// the Referer.
    pub authorization_domain: Option<String>,
    /// The rules of the authorization pages at the start.
    pub authorization: AuthorizationRules,
    /// Requests kept in the log.
    pub log_capacity: usize,
    /// The clock to use. `None` makes a new one that shows the real time.
    pub clock: Option<SimClock>,
}

/// Without the secrets.
impl fmt::Debug for SimConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimConfig")
            .field("component_appid", &self.component_appid)
            .field("listen", &self.listen)
            .finish_non_exhaustive()
    }
}

impl Default for SimConfig {
    fn default() -> Self {
        Self {
            component_appid: "wxsim0000000000001".into(),
            component_appsecret: "sim-secret-for-tests-only-000000".into(),
            push_token: "simpushtoken".into(),
            // Its last character has trailing bits that are not zero, as in three of four real keys. A strict
            // base64 decoder refuses it.
            encoding_aes_key: "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG".into(),
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
            whitelist: Vec::new(),
            tls: None,
            callback_url: None,
            callback_ca: None,
            push_interval: None,
            push_timeout: PUSH_TIMEOUT,
            push_retries: 3,
            push_retry_delay: Duration::from_secs(1),
            token_lifetime: TOKEN_LIFETIME,
            token_overlap: TOKEN_OVERLAP,
            code_lifetime: CODE_LIFETIME,
            ticket_lifetime: TICKET_LIFETIME,
            daily_quota: BTreeMap::from([(Endpoint::ComponentToken, TOKEN_DAILY_QUOTA)]),
            minute_quota: BTreeMap::new(),
            clears_per_month: CLEARS_PER_MONTH,
            errmsg_style: ErrmsgStyle::default(),
            keep_alive: true,
            authorization_domain: None,
            authorization: AuthorizationRules::default(),
            log_capacity: LOG_CAPACITY,
            clock: None,
        }
    }
}
