//! The accounts of a merchant, and which of them an `auth_type` shows.

use serde::{Deserialize, Serialize};

/// What kind of account it is. Each kind has its own permission sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountKind {
    /// 公众号 and 服务号.
    OfficialAccount,
    /// 小程序.
    MiniProgram,
    /// 小程序推客.
    Promoter,
    /// 视频号.
    Channels,
    /// 带货助手.
    Talent,
}

impl AccountKind {
    /// WeChat's name of it.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::OfficialAccount => "公众号",
            Self::MiniProgram => "小程序",
            Self::Promoter => "小程序推客",
            Self::Channels => "视频号",
            Self::Talent => "带货助手",
        }
    }
}

/// An account that a merchant can authorize.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Its appid, `wx` and 16 hex digits.
    pub appid: String,
    /// Its original id (原始 ID), `gh_` and 12 hex digits. The test list (授权测试公众号/小程序列表) has these.
    pub original_id: String,
    /// Its name.
    pub nick_name: String,
    /// Its kind.
    pub kind: AccountKind,
    /// `service_type_info.id`: for an official account 0 is a 订阅号 and 2 a 服务号; 0 is an ordinary mini program.
    #[serde(default)]
    pub service_type: u8,
}

impl Account {
    /// The sample accounts: at least one of each kind.
    #[must_use]
    pub fn samples() -> Vec<Self> {
        let account = |number: u8, nick_name: &str, kind, service_type| Self {
            appid: format!("wx51a0000000000{number:03}"),
            original_id: format!("gh_51a000000{number:03}"),
            nick_name: nick_name.to_owned(),
            kind,
            service_type,
        };
        vec![
            account(1, "小城书店", AccountKind::OfficialAccount, 2),
            account(2, "小城书店读书会", AccountKind::OfficialAccount, 0),
            account(3, "小城书店商城", AccountKind::MiniProgram, 0),
            account(4, "小城咖啡", AccountKind::MiniProgram, 0),
            account(5, "小城推客", AccountKind::Promoter, 0),
            account(6, "小城书店视频号", AccountKind::Channels, 0),
            account(7, "小城带货助手", AccountKind::Talent, 0),
        ]
    }

    /// An account of which only the appid is known, as in an authorization that a test makes without the pages.
    pub(crate) fn unknown(appid: &str) -> Self {
        let digits = appid.trim_start_matches("wx");
        Self {
            appid: appid.to_owned(),
            original_id: format!("gh_{}", digits.get(..12).unwrap_or(digits)),
            nick_name: "授权账号".to_owned(),
            kind: AccountKind::OfficialAccount,
            service_type: 2,
        }
    }
}

/// The kinds that an `auth_type` shows; `None` for 0 and for every other value that WeChat does not list.
pub(crate) fn auth_type_kinds(auth_type: &str) -> Option<&'static [AccountKind]> {
    use AccountKind::{Channels, MiniProgram, OfficialAccount, Promoter, Talent};
    Some(match auth_type {
        "1" => &[OfficialAccount],
        "2" => &[MiniProgram],
        "3" => &[OfficialAccount, MiniProgram],
        "4" => &[Promoter],
        "5" => &[Channels],
        "6" => &[OfficialAccount, MiniProgram, Channels],
        "8" => &[Talent],
        _ => return None,
    })
}

/// The kinds as text, such as `公众号和小程序`.
pub(crate) fn kinds_label(kinds: &[AccountKind]) -> String {
    let labels: Vec<&str> = kinds.iter().map(|kind| kind.label()).collect();
    match labels.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{}和{last}", others.join("、")),
        None => String::new(),
    }
}
