//! The errcodes that WeChat is known to answer these calls with, and what each one means.
//!
//! The numbers follow the error tables of `api_component_token` and `api_create_preauthcode` and WeChat's
//! global return codes
//! (<https://developers.weixin.qq.com/doc/oplatform/Return_codes/Return_code_descriptions_new.html>).
//! Only the number decides: WeChat changes the texts.

pub use super::endpoint::Endpoint;

/// What kind of refusal an errcode is. `platform::problem` makes the service's answers from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrcodeClass {
    /// WeChat is busy. The same request may succeed in a moment.
    Busy,
    /// The component access token was replaced, has expired or was never valid.
    TokenRejected,
    /// The quota of this minute is used up.
    RateLimited,
    /// The quota of this day is used up.
    DailyQuota,
    /// The platform, or this kind of token, may not make the call.
    Unauthorized,
    /// WeChat has blocked the call or limited the platform's account.
    Restricted,
    /// The token is not a component access token.
    WrongTokenKind,
    /// The platform is not published (全网发布).
    Unpublished,
    /// The request that this service sent was malformed.
    RequestRejected,
    /// The egress IP is not in the platform's whitelist.
    EgressIp,
    /// The component appid is wrong, or does not belong to a third-party platform.
    AppId,
    /// The component appsecret is wrong or missing.
    AppSecret,
    /// The verify ticket has expired or is invalid.
    Ticket,
    /// No class above: an errcode of the operators' calls, or one that is not listed.
    Other,
}

/// What an errcode means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meaning {
    /// What kind of refusal it is.
    pub class: ErrcodeClass,
    /// One line for a person.
    pub text: &'static str,
}

/// Every listed errcode: number, class, and what callers and operators read. The comment is WeChat's own
/// text. A second language is one more column, here as in `platform/problem/texts.rs`.
#[rustfmt::skip]
pub const ERRCODES: &[(i64, ErrcodeClass, &str)] = {
    use ErrcodeClass::*;
    const NOT_IN_WHITELIST: &str = "the calling IP is not in the platform's whitelist (白名单IP地址列表)";
    &[
        // system error
        (-1, Busy, "WeChat is busy"),
        // invalid credential, access_token is invalid or not latest
        (INVALID_CREDENTIAL, TokenRejected, "the component access token is invalid or has been replaced by a newer one"),
        // invalid appid
        (40013, AppId, "the component appid is invalid"),
        // invalid access_token
        (40014, TokenRejected, "the component access token is invalid"),
        // invalid component ticket
        (40091, Ticket, "the verify ticket is invalid"),
        // invalid appsecret
        (INVALID_APPSECRET, AppSecret, "the component appsecret is wrong"),
        // invalid ip, not in whitelist
        (40164, EgressIp, NOT_IN_WHITELIST),
        // access_token missing
        (41001, RequestRejected, "WeChat found no access token in the request"),
        // appid missing
        (41002, AppId, "WeChat found no component appid in the request"),
        // appsecret missing
        (41004, AppSecret, "WeChat found no component appsecret in the request"),
        // missing component_appid
        (41018, AppId, "WeChat found no component appid in the request"),
        // access_token expired
        (42001, TokenRejected, "the component access token has expired"),
        // component_access_token expired
        (42006, TokenRejected, "the component access token has expired"),
        // reach max api daily quota limit
        (45009, DailyQuota, "the call's daily quota is used up"),
        // api minute-quota reach limit, must slower, retry next minute
        (45011, RateLimited, "the call's quota for this minute is used up"),
        // access clientip is not registered, not in ip-white-list
        (45035, EgressIp, NOT_IN_WHITELIST),
        // data format error
        (47001, RequestRejected, "WeChat could not read the request"),
        // api unauthorized
        (48001, Unauthorized, "the platform or its token may not use this API"),
        // api forbidden for irregularities, view detail on mp.weixin.qq.com
        (48004, Restricted, "WeChat has blocked this API for the platform because of a violation"),
        // forbid to clear quota because of reaching the limit
        (48006, Other, "this month's ten resets of the quotas are used up"),
        // user limited
        (50002, Restricted, "the platform's account is limited: it may be frozen or closed"),
        // invalid component type
        (61000, AppId, "the component's type does not fit this call"),
        // component type and component appid is not match
        (61001, AppId, "the component's type and its appid do not match"),
        // access clientip is not registered
        (61004, EgressIp, NOT_IN_WHITELIST),
        // component ticket is expired
        (61005, Ticket, "the verify ticket has expired"),
        // component ticket is invalid
        (61006, Ticket, "the verify ticket is invalid"),
        // invalid component
        (61011, AppId, "the appid does not belong to a third-party platform (第三方平台)"),
        // must use component token for component api
        (61014, WrongTokenKind, "the token is not a component access token"),
        // component is unpublished
        (61028, Unpublished, "the platform is not published (全网发布)"),
        // rid older than 7 days
        (76001, Other, "WeChat keeps a request for seven days only"),
        // could not query this rid , no permission
        (76003, Other, "the rid is another account's, or the cgi_path has the wrong form"),
        // cgi_path not found, please check
        (76021, Other, "WeChat knows no call with this cgi_path"),
        // could not use this cgi_path，no permission
        (76022, Other, "this cgi_path is not for a component access token"),
    ]
};

const INVALID_CREDENTIAL: i64 = 40001;
const INVALID_APPSECRET: i64 = 40125;

/// What `errcode` means as the answer of `endpoint`.
pub fn meaning(errcode: i64, endpoint: Endpoint) -> Meaning {
    // WeChat uses 40001 for two things. A call that sends no token can only have sent a wrong appsecret.
    let errcode = match errcode {
        INVALID_CREDENTIAL if !endpoint.sends_token() => INVALID_APPSECRET,
        errcode => errcode,
    };
    match ERRCODES.iter().find(|(number, ..)| *number == errcode) {
        Some(&(_, class, text)) => Meaning { class, text },
        None => Meaning {
            class: ErrcodeClass::Other,
            text: "WeChat refused with an errcode that is not listed for this call",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_errcode_is_listed_once() {
        assert!(ERRCODES.windows(2).all(|pair| pair[0].0 < pair[1].0), "sorted, without duplicates");
        assert_eq!(meaning(50001, Endpoint::ComponentToken).class, ErrcodeClass::Other);
    }

    #[test]
    fn only_40001_depends_on_the_call() {
        let calls = [
            Endpoint::ComponentToken,
            Endpoint::CreatePreAuthCode,
            Endpoint::StartPushTicket,
            Endpoint::ClearQuota,
            Endpoint::GetQuota,
            Endpoint::GetRid,
        ];
        use ErrcodeClass::{AppSecret, TokenRejected};
        assert_eq!(
            calls.map(|call| meaning(40001, call).class),
            [AppSecret, TokenRejected, AppSecret, AppSecret, TokenRejected, TokenRejected]
        );
        for (errcode, ..) in ERRCODES.iter().filter(|(errcode, ..)| *errcode != 40001) {
            for call in calls {
                assert_eq!(meaning(*errcode, call), meaning(*errcode, Endpoint::ComponentToken));
            }
        }
    }
}
