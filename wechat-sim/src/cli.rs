//! The command line: the arguments, the configuration they make, and the greeting.

mod authorization;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Parser;
use wechat_sim::{Endpoint, SimConfig, TlsFiles};

use authorization::AuthorizationArgs;

/// A faithful simulator of WeChat's third-party component platform (第三方平台).
///
/// It answers a platform's calls (api_component_token, api_create_preauthcode, api_start_push_ticket,
/// the quota calls, the calls about authorizers), shows the authorization pages, pushes encrypted tickets and events to a callback
/// URL, and injects faults: see GET /_sim/help.
///
/// Other users of the machine can see the arguments of a program. Put real secrets into files.
#[derive(Parser)]
#[command(version, max_term_width = 100)]
pub struct Cli {
    /// Address to listen on; port 0 takes a free port
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8090")]
    listen: SocketAddr,

    /// The platform's component_appid
    #[arg(long, value_name = "APPID", default_value_t = SimConfig::default().component_appid)]
    appid: String,

    /// File with the component_appsecret; the default is a made-up secret, which is printed
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,

    /// 消息校验Token, which signs pushes; the default is a made-up token, which is printed
    #[arg(long, value_name = "TOKEN", conflicts_with = "push_token_file")]
    push_token: Option<String>,

    /// File with the 消息校验Token
    #[arg(long, value_name = "FILE")]
    push_token_file: Option<PathBuf>,

    /// File with the EncodingAESKey, 43 characters; the default is a made-up key, which is printed
    #[arg(long, value_name = "FILE")]
    aes_key_file: Option<PathBuf>,

    /// 授权事件接收URL, which receives the pushes: http:// or https:// with a host
    #[arg(long, value_name = "URL")]
    callback_url: Option<String>,

    /// PEM file with one more CA to trust for an https callback
    #[arg(long, value_name = "FILE")]
    callback_ca: Option<PathBuf>,

    /// Interval of the ticket pushes, such as 30s, 10m or 1h; with 0 they come on demand only
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = duration)]
    push_interval: Duration,

    /// Admitted addresses, separated by commas or semicolons; an empty list admits every address
    #[arg(long, value_name = "IP,IP,…", value_parser = addresses, default_value = "", hide_default_value = true)]
    whitelist: Addresses,

    /// PEM file with the certificate chain for TLS; needs --tls-key
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,

    /// PEM file with the private key of the certificate
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,

    /// Token mints allowed per day
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    daily_mints: u64,

    /// Codes allowed per day; the default is no limit
    #[arg(long, value_name = "N")]
    daily_codes: Option<u64>,

    /// Codes allowed per minute; the default is no limit
    #[arg(long, value_name = "N")]
    minute_codes: Option<u64>,

    #[command(flatten)]
    authorization: AuthorizationArgs,
}

/// A list of addresses as one argument.
#[derive(Clone, Debug)]
struct Addresses(Vec<IpAddr>);

fn addresses(text: &str) -> Result<Addresses, String> {
    text.split([',', ';'])
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(|part| part.parse().map_err(|_| format!("{part:?} is not an IP address")))
        .collect::<Result<_, _>>()
        .map(Addresses)
}

fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        other => return Err(format!("unit {other:?} is not s, m or h")),
    };
    let number: u64 = digits.parse().map_err(|_| format!("{digits:?} is not a number"))?;
    Ok(Duration::from_secs(number.saturating_mul(unit)))
}

impl Cli {
    /// The configuration. Reads the files with secrets.
    pub fn into_config(self) -> io::Result<SimConfig> {
        let mut config = SimConfig {
            component_appid: self.appid,
            listen: self.listen,
            whitelist: self.whitelist.0,
            callback_url: self.callback_url,
            callback_ca: self.callback_ca,
            push_interval: Some(self.push_interval).filter(|interval| !interval.is_zero()),
            tls: self.tls_cert.zip(self.tls_key).map(|(cert_pem, key_pem)| TlsFiles { cert_pem, key_pem }),
            ..SimConfig::default()
        };
        self.authorization.apply(&mut config);
        if let Some(token) = self.push_token {
            config.push_token = token;
        }
        let secrets = [
            (self.secret_file, &mut config.component_appsecret),
            (self.push_token_file, &mut config.push_token),
            (self.aes_key_file, &mut config.encoding_aes_key),
        ];
        for (file, secret) in secrets {
            if let Some(file) = file {
                *secret = read_secret(&file)?;
            }
        }
        config.daily_quota.insert(Endpoint::ComponentToken, self.daily_mints);
        config.daily_quota.extend(self.daily_codes.map(|codes| (Endpoint::CreatePreAuthCode, codes)));
        config.minute_quota.extend(self.minute_codes.map(|codes| (Endpoint::CreatePreAuthCode, codes)));
        Ok(config)
    }
}

fn read_secret(file: &Path) -> io::Result<String> {
    let named = |kind, error: &str| io::Error::new(kind, format!("{}: {error}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| named(error.kind(), &error.to_string()))?;
    match text.trim() {
        "" => Err(named(io::ErrorKind::InvalidInput, "the file is empty")),
        secret => Ok(secret.to_owned()),
    }
}

/// The text to print when it listens. It shows the made-up secrets, and no others.
pub fn greeting(url: &str, config: &SimConfig) -> String {
    let default = SimConfig::default();
    let shown = |secret: &str, made_up: &str| {
        if secret == made_up { secret.to_owned() } else { "(not shown)".to_owned() }
    };
    let callback = config.callback_url.as_deref().unwrap_or("none: nothing is pushed until you set one");
    let whitelist = match config.whitelist.as_slice() {
        [] => "every address".to_owned(),
        list => list.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
    };
    format!(
        "wechat-sim listens on {url}\n\
         \x20 component_appid      {appid}\n\
         \x20 component_appsecret  {secret}\n\
         \x20 push token           {token}\n\
         \x20 EncodingAESKey       {key}\n\
         \x20 callback URL         {callback}\n\
         \x20 whitelist            {whitelist}\n\n\
         Try:\n\
         \x20 curl {url}/_sim/help\n\
         \x20 curl {url}/_sim/state\n\
         \x20 curl -d '{{\"api\":\"create_preauthcode\",\"errcode\":61004,\"times\":1}}' {url}/_sim/faults\n\
         \x20 curl -d '{{\"api\":\"component_token\",\"kind\":\"reset_after\"}}' {url}/_sim/faults\n\
         \x20 curl -d '{{\"kind\":\"delay\",\"ms\":3000,\"times\":\"forever\"}}' {url}/_sim/faults\n\
         \x20 curl -X DELETE {url}/_sim/faults\n\
         \x20 curl -d '{{\"advance_seconds\":7200}}' {url}/_sim/clock\n\
         \x20 curl -d '{{}}' {url}/_sim/push\n",
        appid = config.component_appid,
        secret = shown(&config.component_appsecret, &default.component_appsecret),
        token = shown(&config.push_token, &default.push_token),
        key = shown(&config.encoding_aes_key, &default.encoding_aes_key),
    )
}
