//! Every errcode that the component calls are known to answer with: what it means, who must act
//! and whether waiting helps.
//!
//! Names and texts follow the error tables of `api_component_token`, `api_create_preauthcode` and
//! WeChat's global return codes
//! (<https://developers.weixin.qq.com/doc/oplatform/Return_codes/Return_code_descriptions_new.html>).
//! Only the number decides; WeChat changes the texts.

use std::fmt;

/// A call to WeChat, as far as the meaning of an errcode or a metric depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Endpoint {
    /// `api_component_token`: appid, secret and ticket for a component access token.
    ComponentToken,
    /// `api_create_preauthcode`: the token for a pre-authorization code.
    CreatePreAuthCode,
    /// `api_start_push_ticket`: asks WeChat to push verify tickets (again).
    StartPushTicket,
    /// `clear_quota/v2`: resets the daily quotas by secret, ten times a month.
    ClearQuota,
    /// `openapi/quota/get`: what is left of one call's daily quota.
    GetQuota,
    /// `openapi/rid/get`: what WeChat recorded of one earlier request.
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
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Who can end a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// Nobody need act: the next try, or WeChat's next push, ends it.
    Nobody,
    /// The platform's operator, in WeChat's console or in the credentials secret.
    Operator,
    /// WeChat.
    WeChat,
    /// This project: the request we sent was wrong.
    Us,
}

/// What kind of refusal an errcode is. The service's answers are made from this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrcodeClass {
    /// WeChat's own trouble; the same request may succeed in a moment.
    Busy,
    /// The component access token was refused: replaced, expired or never valid.
    TokenRejected,
    /// Too many calls in this minute.
    RateLimited,
    /// Too many calls today.
    DailyQuota,
    /// The API is not open to this token or platform.
    Unauthorized,
    /// Our request was malformed.
    RequestRejected,
    /// The egress IP is not in the platform's whitelist.
    EgressIp,
    /// The component appid is wrong, or not a component's.
    AppId,
    /// The component appsecret is wrong or missing.
    AppSecret,
    /// The verify ticket was refused.
    Ticket,
    /// Not known for these calls.
    Other,
}

/// What an errcode says: its class, its meaning in one line, who must act, and whether the same
/// call can succeed later without anybody acting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meaning {
    /// What kind of refusal this is.
    pub class: ErrcodeClass,
    /// One line for a person.
    pub text: &'static str,
    /// Who can end it.
    pub actor: Actor,
    /// Whether trying again later can help without anyone acting.
    pub retry_helps: bool,
}

macro_rules! errcodes {
    ($($(#[$doc:meta])* $name:ident = $number:literal,)+) => {
        /// A WeChat errcode.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Errcode {
            $($(#[$doc])* $name,)+
            /// An errcode that neither call's table lists.
            Other(i64),
        }

        impl Errcode {
            /// Every named errcode, for tests and tables.
            pub const NAMED: &[Self] = &[$(Self::$name,)+];

            /// The case for a number.
            #[must_use]
            pub const fn from_number(number: i64) -> Self {
                match number {
                    $($number => Self::$name,)+
                    other => Self::Other(other),
                }
            }

            /// The number on the wire.
            #[must_use]
            pub const fn number(self) -> i64 {
                match self {
                    $(Self::$name => $number,)+
                    Self::Other(number) => number,
                }
            }
        }
    };
}

errcodes! {
    /// `-1 system error`.
    SystemError = -1,
    /// `40001 invalid credential, access_token is invalid or not latest`; on the mint call a wrong appsecret.
    InvalidCredential = 40001,
    /// `40013 invalid appid`.
    InvalidAppId = 40013,
    /// `40014 invalid access_token`.
    InvalidAccessToken = 40014,
    /// `40091 invalid component ticket`.
    InvalidComponentTicket = 40091,
    /// `40125 invalid appsecret`.
    InvalidAppSecret = 40125,
    /// `40164 invalid ip, not in whitelist`.
    IpNotInWhitelist = 40164,
    /// `41001 access_token missing`.
    AccessTokenMissing = 41001,
    /// `41002 appid missing`.
    AppIdMissing = 41002,
    /// `41004 appsecret missing`.
    AppSecretMissing = 41004,
    /// `41018 missing component_appid`.
    ComponentAppIdMissing = 41018,
    /// `42001 access_token expired`.
    AccessTokenExpired = 42001,
    /// `42006 component_access_token expired`.
    ComponentAccessTokenExpired = 42006,
    /// `45009 reach max api daily quota limit`.
    DailyQuotaReached = 45009,
    /// `45011 api minute-quota reach limit, must slower, retry next minute`.
    MinuteQuotaReached = 45011,
    /// `45035 access clientip is not registered, not in ip-white-list`.
    ClientIpNotInWhitelist = 45035,
    /// `47001 data format error`.
    DataFormatError = 47001,
    /// `48001 api unauthorized`.
    ApiUnauthorized = 48001,
    /// `48006 forbid to clear quota because of reaching the limit`.
    ClearQuotaLimitReached = 48006,
    /// `61000 invalid component type`.
    InvalidComponentType = 61000,
    /// `61001 component type and component appid is not match`.
    ComponentTypeMismatch = 61001,
    /// `61004 access clientip is not registered`.
    ClientIpNotRegistered = 61004,
    /// `61005 component ticket is expired`.
    ComponentTicketExpired = 61005,
    /// `61006 component ticket is invalid`.
    ComponentTicketInvalid = 61006,
    /// `61011 invalid component`.
    InvalidComponent = 61011,
    /// `76001`: the rid is older than seven days.
    RidExpired = 76001,
    /// `76003 could not query this rid , no permission`; also for a `cgi_path` of the wrong form.
    RidForbidden = 76003,
    /// `76021 cgi_path not found, please check`.
    CgiPathNotFound = 76021,
    /// `76022 could not use this cgi_path，no permission`.
    CgiPathForbidden = 76022,
}

impl Errcode {
    /// What this errcode says when `api` answers with it.
    #[must_use]
    pub const fn meaning(self, api: Endpoint) -> Meaning {
        use Actor::{Nobody, Operator, Us, WeChat};
        match (self, api) {
            (Self::SystemError, _) => meaning(ErrcodeClass::Busy, WeChat, true, "WeChat is busy"),
            // WeChat's table gives 40001 two meanings, by the call: where no token is sent, it can
            // only be the appsecret.
            (
                Self::InvalidCredential,
                Endpoint::ComponentToken | Endpoint::StartPushTicket | Endpoint::ClearQuota,
            ) => meaning(ErrcodeClass::AppSecret, Operator, false, "the component appsecret is wrong"),
            (Self::InvalidCredential, _) => meaning(
                ErrcodeClass::TokenRejected,
                Nobody,
                true,
                "the component access token is invalid or has been replaced by a newer one",
            ),
            (Self::InvalidAccessToken, _) => {
                meaning(ErrcodeClass::TokenRejected, Nobody, true, "the component access token is invalid")
            }
            (Self::AccessTokenExpired | Self::ComponentAccessTokenExpired, _) => {
                meaning(ErrcodeClass::TokenRejected, Nobody, true, "the component access token has expired")
            }
            (Self::InvalidAppId, _) => {
                meaning(ErrcodeClass::AppId, Operator, false, "the component appid is invalid")
            }
            (Self::InvalidComponent, _) => meaning(
                ErrcodeClass::AppId,
                Operator,
                false,
                "the appid is not a third-party platform's (第三方平台)",
            ),
            (Self::InvalidComponentType, _) => {
                meaning(ErrcodeClass::AppId, Operator, false, "the component's type does not fit this call")
            }
            (Self::ComponentTypeMismatch, _) => meaning(
                ErrcodeClass::AppId,
                Operator,
                false,
                "the component's type and its appid do not belong together",
            ),
            (Self::AppIdMissing | Self::ComponentAppIdMissing, _) => {
                meaning(ErrcodeClass::AppId, Operator, false, "WeChat saw no component appid in the request")
            }
            (Self::InvalidAppSecret, _) => {
                meaning(ErrcodeClass::AppSecret, Operator, false, "the component appsecret is wrong")
            }
            (Self::AppSecretMissing, _) => meaning(
                ErrcodeClass::AppSecret,
                Operator,
                false,
                "WeChat saw no component appsecret in the request",
            ),
            (Self::ClientIpNotRegistered | Self::IpNotInWhitelist | Self::ClientIpNotInWhitelist, _) => {
                meaning(
                    ErrcodeClass::EgressIp,
                    Operator,
                    false,
                    "the calling IP is not in the platform's whitelist (白名单IP地址列表)",
                )
            }
            (Self::AccessTokenMissing, _) => {
                meaning(ErrcodeClass::RequestRejected, Us, false, "WeChat saw no access token in the request")
            }
            (Self::DataFormatError, _) => {
                meaning(ErrcodeClass::RequestRejected, Us, false, "WeChat could not read the request")
            }
            (Self::DailyQuotaReached, _) => {
                meaning(ErrcodeClass::DailyQuota, Operator, false, "the call's daily quota is used up")
            }
            (Self::MinuteQuotaReached, _) => meaning(
                ErrcodeClass::RateLimited,
                Nobody,
                true,
                "the call's quota for this minute is used up",
            ),
            (Self::ApiUnauthorized, _) => meaning(
                ErrcodeClass::Unauthorized,
                Operator,
                false,
                "the platform or its token may not use this API",
            ),
            (Self::ComponentTicketExpired, _) => {
                meaning(ErrcodeClass::Ticket, Nobody, true, "the verify ticket has expired")
            }
            (Self::ComponentTicketInvalid | Self::InvalidComponentTicket, _) => {
                meaning(ErrcodeClass::Ticket, Nobody, true, "the verify ticket is invalid")
            }
            (Self::ClearQuotaLimitReached, _) => meaning(
                ErrcodeClass::Other,
                Operator,
                false,
                "this month's ten resets of the quotas are used up",
            ),
            (Self::RidExpired, _) => {
                meaning(ErrcodeClass::Other, Operator, false, "WeChat forgets a request after seven days")
            }
            (Self::RidForbidden, _) => meaning(
                ErrcodeClass::Other,
                Operator,
                false,
                "WeChat does not show this to the platform: another account's rid, or a cgi_path of the wrong form",
            ),
            (Self::CgiPathNotFound, _) => {
                meaning(ErrcodeClass::Other, Operator, false, "WeChat knows no call with this cgi_path")
            }
            (Self::CgiPathForbidden, _) => meaning(
                ErrcodeClass::Other,
                Operator,
                false,
                "this cgi_path is not for a component access token",
            ),
            (Self::Other(_), _) => meaning(
                ErrcodeClass::Other,
                Operator,
                false,
                "WeChat refused with an errcode not listed for this call",
            ),
        }
    }
}

const fn meaning(class: ErrcodeClass, actor: Actor, retry_helps: bool, text: &'static str) -> Meaning {
    Meaning { class, text, actor, retry_helps }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_agree_both_ways() {
        for errcode in Errcode::NAMED {
            assert_eq!(Errcode::from_number(errcode.number()), *errcode);
        }
        assert_eq!(Errcode::from_number(50002), Errcode::Other(50002));
        assert_eq!(Errcode::Other(50002).number(), 50002);
    }

    #[test]
    fn only_40001_depends_on_the_call() {
        let mint = Errcode::InvalidCredential.meaning(Endpoint::ComponentToken);
        let code = Errcode::InvalidCredential.meaning(Endpoint::CreatePreAuthCode);
        assert_eq!((mint.class, mint.retry_helps), (ErrcodeClass::AppSecret, false));
        assert_eq!((code.class, code.retry_helps), (ErrcodeClass::TokenRejected, true));
        for errcode in Errcode::NAMED {
            if *errcode != Errcode::InvalidCredential {
                assert_eq!(
                    errcode.meaning(Endpoint::ComponentToken),
                    errcode.meaning(Endpoint::CreatePreAuthCode)
                );
            }
        }
    }
}
