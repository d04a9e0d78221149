//! What a simulator is told when it starts. Every default is harmless and obviously not real.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::{Endpoint, ErrmsgStyle, SimClock};

/// WeChat: a component access token lives two hours.
const TOKEN_LIFETIME: Duration = Duration::from_secs(7200);
/// Staff answers: after a new mint the old token has five more minutes.
const TOKEN_OVERLAP: Duration = Duration::from_secs(300);
/// The documentation's text and every capture say 1800 s (its sample answer says 600).
const CODE_LIFETIME: Duration = Duration::from_secs(1800);
/// WeChat: a verify ticket is valid for 12 hours.
const TICKET_LIFETIME: Duration = Duration::from_secs(12 * 3600);
/// What a developer read from `openapi/quota/get` for `api_component_token`.
const TOKEN_DAILY_QUOTA: u64 = 10_000;
/// Ten clearings a month, console and API together.
const CLEARS_PER_MONTH: u32 = 10;
/// A receiver of pushes must answer within five seconds.
const PUSH_TIMEOUT: Duration = Duration::from_secs(5);
/// Requests kept in the log; the oldest go first.
const LOG_CAPACITY: usize = 20_000;

/// A certificate chain and its key, both PEM files.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The certificate chain, leaf first.
    pub cert_pem: PathBuf,
    /// The private key (PKCS#8, PKCS#1 or SEC1).
    pub key_pem: PathBuf,
}

/// How a simulator behaves. Start from [`SimConfig::default`] and change what matters.
#[derive(Clone, Debug)]
pub struct SimConfig {
    /// The platform's appid, 18 characters.
    pub component_appid: String,
    /// The platform's secret, 32 characters.
    pub component_appsecret: String,
    /// 消息校验Token: signs pushes.
    pub push_token: String,
    /// 消息加解密Key: 43 characters, encrypts pushes.
    pub encoding_aes_key: String,
    /// Where to listen. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// 白名单IP地址列表. Empty lets everyone in, unlike WeChat, so that a first try works.
    pub whitelist: Vec<IpAddr>,
    /// Serve TLS with this certificate instead of plain HTTP.
    pub tls: Option<TlsFiles>,
    /// 授权事件接收URL: where pushes go.
    pub callback_url: Option<String>,
    /// A PEM file with one more certificate to trust when pushing to an `https://` callback.
    pub callback_ca: Option<PathBuf>,
    /// How often the ticket is pushed by itself; `None` pushes only on demand. WeChat: 10 minutes.
    pub push_interval: Option<Duration>,
    /// How long a receiver may take to answer `success`.
    pub push_timeout: Duration,
    /// How often a failed push is tried again (WeChat's own number is not documented).
    pub push_retries: u32,
    /// The pause before each new try.
    pub push_retry_delay: Duration,
    /// Lifetime of a component access token.
    pub token_lifetime: Duration,
    /// How long the old token still works after a new one was minted.
    pub token_overlap: Duration,
    /// Lifetime of a pre-authorization code.
    pub code_lifetime: Duration,
    /// Lifetime of a verify ticket.
    pub ticket_lifetime: Duration,
    /// Calls per day (China time) and API; an absent API is not limited.
    pub daily_quota: BTreeMap<Endpoint, u64>,
    /// Calls per minute and API; an absent API is not limited.
    pub minute_quota: BTreeMap<Endpoint, u64>,
    /// How often a month quotas may be cleared.
    pub clears_per_month: u32,
    /// The shape of error messages.
    pub era: ErrmsgStyle,
    /// `false` sends `Connection: close` with every answer, as some of WeChat's gateways do.
    pub keep_alive: bool,
    /// 授权发起页域名. When given, the PC page checks the Referer and the host of `redirect_uri`.
    pub authorization_domain: Option<String>,
    /// Requests kept in the log.
    pub log_capacity: usize,
    /// The clock to use; `None` makes a new one that starts at the real time.
    pub clock: Option<SimClock>,
}

impl Default for SimConfig {
    fn default() -> Self {
        Self {
            component_appid: "wxsim0000000000001".into(),
            component_appsecret: "sim-secret-for-tests-only-000000".into(),
            push_token: "simpushtoken".into(),
            // Its last character leaves non-zero trailing bits, as three in four real keys do:
            // a strict base64 decoder refuses it.
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
            era: ErrmsgStyle::default(),
            keep_alive: true,
            authorization_domain: None,
            log_capacity: LOG_CAPACITY,
            clock: None,
        }
    }
}
