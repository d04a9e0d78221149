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
    /// The path, the name, and whether the call sends the token.
    const fn row(self) -> (&'static str, &'static str, bool) {
        match self {
            Self::ComponentToken => ("/cgi-bin/component/api_component_token", "component_token", false),
            Self::CreatePreAuthCode => {
                ("/cgi-bin/component/api_create_preauthcode", "create_preauthcode", true)
            }
            Self::StartPushTicket => ("/cgi-bin/component/api_start_push_ticket", "start_push_ticket", false),
            Self::ClearQuota => ("/cgi-bin/component/clear_quota/v2", "clear_quota", false),
            Self::GetQuota => ("/cgi-bin/openapi/quota/get", "get_quota", true),
            Self::GetRid => ("/cgi-bin/openapi/rid/get", "get_rid", true),
        }
    }

    /// The path below the API host.
    pub const fn path(self) -> &'static str {
        self.row().0
    }

    /// The short name used in logs and metrics.
    pub const fn name(self) -> &'static str {
        self.row().1
    }

    /// Whether the call sends the component access token. The others send the appsecret.
    pub const fn sends_token(self) -> bool {
        self.row().2
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
