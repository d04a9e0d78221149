//! The calls and pages that the simulator knows, by name and by path.

use serde::{Deserialize, Serialize};

/// One of WeChat's calls or pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Api {
    /// `api_component_token`: ticket in, component access token out.
    #[serde(alias = "api_component_token")]
    ComponentToken,
    /// `api_create_preauthcode`: a pre-authorization code.
    #[serde(rename = "create_preauthcode", alias = "api_create_preauthcode", alias = "create_pre_auth_code")]
    CreatePreAuthCode,
    /// `api_start_push_ticket`: starts the ticket pushes again.
    #[serde(alias = "api_start_push_ticket")]
    StartPushTicket,
    /// `clear_quota`, by token and appid.
    ClearQuota,
    /// `component/clear_quota`, the older form by token and `component_appid`.
    ComponentClearQuota,
    /// `component/clear_quota/v2`, by appsecret.
    ClearQuotaV2,
    /// `openapi/quota/get`.
    GetQuota,
    /// `openapi/rid/get`.
    GetRid,
    /// The authorization page for PCs.
    AuthPagePc,
    /// The authorization page for phones.
    AuthPageMobile,
    /// Any other path.
    Unknown,
}

impl Api {
    /// Every call and page, without [`Api::Unknown`].
    pub const ALL: [Api; 10] = [
        Api::ComponentToken,
        Api::CreatePreAuthCode,
        Api::StartPushTicket,
        Api::ClearQuota,
        Api::ComponentClearQuota,
        Api::ClearQuotaV2,
        Api::GetQuota,
        Api::GetRid,
        Api::AuthPagePc,
        Api::AuthPageMobile,
    ];

    /// The path it answers at; empty for [`Api::Unknown`].
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Api::ComponentToken => "/cgi-bin/component/api_component_token",
            Api::CreatePreAuthCode => "/cgi-bin/component/api_create_preauthcode",
            Api::StartPushTicket => "/cgi-bin/component/api_start_push_ticket",
            Api::ClearQuota => "/cgi-bin/clear_quota",
            Api::ComponentClearQuota => "/cgi-bin/component/clear_quota",
            Api::ClearQuotaV2 => "/cgi-bin/component/clear_quota/v2",
            Api::GetQuota => "/cgi-bin/openapi/quota/get",
            Api::GetRid => "/cgi-bin/openapi/rid/get",
            Api::AuthPagePc => "/cgi-bin/componentloginpage",
            Api::AuthPageMobile => "/wxaopen/safe/bindcomponent",
            Api::Unknown => "",
        }
    }

    /// What answers at `path`.
    #[must_use]
    pub fn of_path(path: &str) -> Api {
        Api::ALL.into_iter().find(|api| api.path() == path).unwrap_or(Api::Unknown)
    }

    /// Whether it is a page for people and not a JSON call.
    #[must_use]
    pub fn is_page(self) -> bool {
        matches!(self, Api::AuthPagePc | Api::AuthPageMobile)
    }
}
