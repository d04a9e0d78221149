//! The arguments for the authorization pages.

use clap::Args;
use wechat_sim::{AuthorizationRules, EventOrder, SimConfig};

/// The authorization pages. Each of these can also be changed while the program runs: see GET /_sim/help
#[derive(Args)]
#[command(next_help_heading = "Authorization pages")]
pub struct AuthorizationArgs {
    /// 授权发起页域名, a bare host; if given, both pages check the host of redirect_uri, the PC page also the Referer
    #[arg(long, value_name = "HOST")]
    authorization_domain: Option<String>,

    /// The merchant is the administrator (管理员) of no account
    #[arg(long)]
    not_administrator: bool,

    /// Before 全网发布: only accounts with these original ids can authorize, separated by semicolons
    #[arg(long, value_name = "GH_ID;…", value_delimiter = ';')]
    test_list: Option<Vec<String>>,

    /// The permission sets that the platform has published, by id; the default is all that the simulator knows
    #[arg(long, value_name = "ID,ID,…", value_delimiter = ',')]
    permission_sets: Option<Vec<u32>>,

    /// 同意授权 uses the code up, and not the scan
    #[arg(long)]
    consent_uses_code: bool,

    /// The mobile page checks the Referer too
    #[arg(long)]
    mobile_checks_referer: bool,

    /// The mobile page opens in every browser, and not only in WeChat
    #[arg(long)]
    mobile_in_any_browser: bool,

    /// The mobile page leaves each & of redirect_uri as it is
    #[arg(long)]
    mobile_keeps_ampersand: bool,

    /// expires_in of the redirect, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = AuthorizationRules::default().auth_code_expires_in)]
    auth_code_expires_in: u64,

    /// Redirect and event carry the same authorization code
    #[arg(long)]
    one_auth_code: bool,

    /// When the event comes: before the redirect, after it, or twice
    #[arg(long, value_name = "ORDER", default_value = "before", value_parser = event_order)]
    event_order: EventOrder,

    /// The pause before an event that comes after the redirect
    #[arg(long, value_name = "MS", default_value_t = AuthorizationRules::default().event_delay_ms)]
    event_delay_ms: u64,
}

fn event_order(text: &str) -> Result<EventOrder, String> {
    let read = serde_json::from_value(serde_json::Value::from(text));
    read.map_err(|_| format!("{text:?} is not before, after or twice"))
}

impl AuthorizationArgs {
    /// Puts the arguments into the configuration.
    pub fn apply(self, config: &mut SimConfig) {
        config.authorization_domain = self.authorization_domain;
        let rules = &mut config.authorization;
        rules.administrator = !self.not_administrator;
        rules.test_list = self.test_list;
        if let Some(permission_sets) = self.permission_sets {
            rules.permission_sets = permission_sets;
        }
        rules.scan_uses_code = !self.consent_uses_code;
        rules.mobile_checks_referer = self.mobile_checks_referer;
        rules.mobile_requires_wechat = !self.mobile_in_any_browser;
        rules.mobile_escapes_ampersand = !self.mobile_keeps_ampersand;
        rules.auth_code_expires_in = self.auth_code_expires_in;
        rules.one_auth_code = self.one_auth_code;
        rules.event_order = self.event_order;
        rules.event_delay_ms = self.event_delay_ms;
    }
}
