//! WeChat's calls and pages that the simulator has, with their names and paths.

use serde::{Deserialize, Serialize};

/// One of WeChat's calls or pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// `api_component_token`: mints a component access token.
    #[serde(alias = "api_component_token")]
    ComponentToken,
    /// `api_create_preauthcode`: issues a pre-authorization code.
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
    /// `api_query_auth`: redeems an authorization code.
    #[serde(alias = "api_query_auth")]
    QueryAuth,
    /// `api_authorizer_token`: refreshes an authorizer's access token.
    #[serde(alias = "api_authorizer_token")]
    AuthorizerToken,
    /// `api_get_authorizer_info`: an authorizer's account and permission sets.
    #[serde(rename = "get_authorizer_info", alias = "api_get_authorizer_info")]
    GetAuthorizerInfo,
    /// `api_get_authorizer_list`: all authorizers.
    #[serde(rename = "get_authorizer_list", alias = "api_get_authorizer_list")]
    GetAuthorizerList,
    /// The authorization page for PCs.
    AuthPagePc,
    /// The authorization page for phones.
    AuthPageMobile,
    /// Any other path.
    Unknown,
}

impl Endpoint {
    /// Every call and page, without [`Endpoint::Unknown`].
    pub const ALL: [Endpoint; 14] = [
        Endpoint::ComponentToken,
        Endpoint::CreatePreAuthCode,
        Endpoint::StartPushTicket,
        Endpoint::ClearQuota,
        Endpoint::ComponentClearQuota,
        Endpoint::ClearQuotaV2,
        Endpoint::GetQuota,
        Endpoint::GetRid,
        Endpoint::QueryAuth,
        Endpoint::AuthorizerToken,
        Endpoint::GetAuthorizerInfo,
        Endpoint::GetAuthorizerList,
        Endpoint::AuthPagePc,
        Endpoint::AuthPageMobile,
    ];

    /// Its path; empty for [`Endpoint::Unknown`].
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Endpoint::ComponentToken => "/cgi-bin/component/api_component_token",
            Endpoint::CreatePreAuthCode => "/cgi-bin/component/api_create_preauthcode",
            Endpoint::StartPushTicket => "/cgi-bin/component/api_start_push_ticket",
            Endpoint::ClearQuota => "/cgi-bin/clear_quota",
            Endpoint::ComponentClearQuota => "/cgi-bin/component/clear_quota",
            Endpoint::ClearQuotaV2 => "/cgi-bin/component/clear_quota/v2",
            Endpoint::GetQuota => "/cgi-bin/openapi/quota/get",
            Endpoint::GetRid => "/cgi-bin/openapi/rid/get",
            Endpoint::QueryAuth => "/cgi-bin/component/api_query_auth",
            Endpoint::AuthorizerToken => "/cgi-bin/component/api_authorizer_token",
            Endpoint::GetAuthorizerInfo => "/cgi-bin/component/api_get_authorizer_info",
            Endpoint::GetAuthorizerList => "/cgi-bin/component/api_get_authorizer_list",
            Endpoint::AuthPagePc => "/cgi-bin/componentloginpage",
            Endpoint::AuthPageMobile => "/wxaopen/safe/bindcomponent",
            Endpoint::Unknown => "",
        }
    }

    /// The call or page with this path.
    #[must_use]
    pub fn of_path(path: &str) -> Endpoint {
        Endpoint::ALL.into_iter().find(|api| api.path() == path).unwrap_or(Endpoint::Unknown)
    }

    /// Whether it is an HTML page and not a JSON call.
    #[must_use]
    pub fn is_page(self) -> bool {
        matches!(self, Endpoint::AuthPagePc | Endpoint::AuthPageMobile)
    }
}
