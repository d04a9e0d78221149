//! What a test can switch on the authorization pages. Each default follows the better proof; the README says which.

use serde::{Deserialize, Serialize};

use super::account::{Account, AccountKind};
use super::permission::{PERMISSION_SETS, PermissionSet};

/// WeChat's documents and its staff (2025): 600 s. Captures of 2020 to 2022 have 3600.
const AUTH_CODE_EXPIRES_IN: u64 = 600;
/// From the redirect's answer to the event of [`EventOrder::After`]: long enough for a browser on the same machine
/// to have followed the redirect.
const EVENT_DELAY_MS: u64 = 1_000;

/// When the event of an authorization is pushed. WeChat promises no order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventOrder {
    /// The redirect waits until the push has been answered, five seconds at most.
    #[default]
    Before,
    /// After the redirect's answer and `event_delay_ms`.
    After,
    /// Both: the same event twice.
    Twice,
}

/// The rules of the authorization pages, and the merchant who visits them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuthorizationRules {
    /// The merchant's accounts.
    pub accounts: Vec<Account>,
    /// With `false` the merchant is the administrator (管理员) of none of them.
    pub administrator: bool,
    /// The permission sets that the platform has published, by id.
    pub permission_sets: Vec<u32>,
    /// The test list (授权测试公众号/小程序列表) of a platform before 全网发布: only accounts with these original ids
    /// can authorize. `None`: the platform is published, and every account can.
    pub test_list: Option<Vec<String>>,
    /// Whether the scan uses the code, and on the mobile page its opening. With `false` 同意授权 uses it.
    pub scan_uses_code: bool,
    /// Whether the mobile page checks the Referer as the PC page does.
    pub mobile_checks_referer: bool,
    /// Whether the mobile page requires `MicroMessenger` in the User-Agent.
    pub mobile_requires_wechat: bool,
    /// Whether each `&` of `redirect_uri` comes back from the mobile page as `&amp;`.
    pub mobile_escapes_ampersand: bool,
    /// `expires_in` of the redirect, in seconds.
    pub auth_code_expires_in: u64,
    /// Whether redirect and event carry one code, which can be redeemed once. With `false` they carry two.
    pub one_auth_code: bool,
    /// When the event is pushed.
    pub event_order: EventOrder,
    /// The pause before the event of [`EventOrder::After`] and the second one of [`EventOrder::Twice`].
    pub event_delay_ms: u64,
}

impl Default for AuthorizationRules {
    fn default() -> Self {
        Self {
            accounts: Account::samples(),
            administrator: true,
            permission_sets: PERMISSION_SETS.iter().map(|set| set.id).collect(),
            test_list: None,
            scan_uses_code: true,
            mobile_checks_referer: false,
            mobile_requires_wechat: true,
            mobile_escapes_ampersand: true,
            auth_code_expires_in: AUTH_CODE_EXPIRES_IN,
            one_auth_code: false,
            event_order: EventOrder::default(),
            event_delay_ms: EVENT_DELAY_MS,
        }
    }
}

impl AuthorizationRules {
    /// The account with this appid: the merchant's, or one of which only the appid is known.
    pub(crate) fn account(&self, appid: &str) -> Account {
        let own = self.accounts.iter().find(|account| account.appid == appid);
        own.cloned().unwrap_or_else(|| Account::unknown(appid))
    }

    /// The permission sets that the platform asks of an account of this kind. `only`: the ids of
    /// `category_id_list`; if there are none, it asks for every set that it has published.
    pub(crate) fn offered(&self, kind: AccountKind, only: &[String]) -> Vec<&'static PermissionSet> {
        PERMISSION_SETS
            .iter()
            .filter(|set| set.belongs_to(kind) && self.permission_sets.contains(&set.id))
            .filter(|set| only.is_empty() || only.contains(&set.id.to_string()))
            .collect()
    }
}
