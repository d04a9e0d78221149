//! The calls of WeChat's component API that this service makes.

use std::fmt;

/// One call of WeChat's API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Endpoint {
    /// `api_component_token`: exchanges appid, secret and ticket for a component access token.
    ComponentToken,
    /// `api_create_preauthcode`: exchanges the token for a pre-authorization code.
    CreatePreAuthCode,
    /// `api_start_push_ticket`: asks WeChat to start pushing verify tickets.
    StartPushTicket,
    /// `clear_quota/v2`: resets the daily quotas by secret, ten times a month.
    ClearQuota,
    /// `openapi/quota/get`: shows what is left of one call's daily quota.
    GetQuota,
    /// `openapi/rid/get`: shows what WeChat recorded of an earlier request.
    GetRid,
}

impl Endpoint {
    /// The path below the API host.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::ComponentToken => "/cgi-bin/component/api_component_token",
            Self::CreatePreAuthCode => "/cgi-bin/component/api_create_preauthcode",
            Self::StartPushTicket => "/cgi-bin/component/api_start_push_ticket",
            Self::ClearQuota => "/cgi-bin/component/clear_quota/v2",
            Self::GetQuota => "/cgi-bin/openapi/quota/get",
            Self::GetRid => "/cgi-bin/openapi/rid/get",
        }
    }

    /// The short name used in logs and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ComponentToken => "component_token",
            Self::CreatePreAuthCode => "create_preauthcode",
            Self::StartPushTicket => "start_push_ticket",
            Self::ClearQuota => "clear_quota",
            Self::GetQuota => "get_quota",
            Self::GetRid => "get_rid",
        }
    }

    /// Whether the call sends the component access token. The others send the appsecret.
    #[must_use]
    pub const fn sends_token(self) -> bool {
        matches!(self, Self::CreatePreAuthCode | Self::GetQuota | Self::GetRid)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
