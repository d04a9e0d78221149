//! WeChat's errcodes, each with the errmsg that the real gateway sends.

/// A refusal: the errcode to answer with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal(pub(crate) i64);

/// One errcode of WeChat's tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Errcode {
    /// The number.
    pub code: i64,
    /// The name of the fault preset. It is not WeChat's.
    pub name: &'static str,
    /// The text as the gateway sends it, without rid, hint or address. `{ip}` is replaced by the caller's
    /// address.
    pub errmsg: &'static str,
}

const fn e(code: i64, name: &'static str, errmsg: &'static str) -> Errcode {
    Errcode { code, name, errmsg }
}

/// Every known errcode. If an errcode has several real texts, the first is the usual one. The others are found
/// by their name.
pub const ERRCODES: &[Errcode] = &[
    e(-1, "system_error", "system error"),
    e(40001, "invalid_credential", "invalid credential, access_token is invalid or not latest"),
    e(
        40001,
        "invalid_credential_stable",
        "invalid credential, access_token is invalid or not latest, could get access_token by \
         getStableAccessToken, more details at https://mmbizurl.cn/s/JtxxFh33r",
    ),
    e(40013, "invalid_appid", "invalid appid"),
    e(40014, "invalid_access_token", "invalid access_token"),
    e(40066, "invalid_url", "invalid url"),
    e(40091, "invalid_component_ticket", "invalid component ticket"),
    e(40094, "invalid_component_credential", "invalid component credential"),
    e(40125, "invalid_appsecret", "invalid appsecret"),
    e(40125, "invalid_appsecret_link", "invalid appsecret, view more at http://t.cn/RAEkdVq"),
    e(40164, "invalid_ip", "invalid ip {ip} ipv6 ::ffff:{ip}, not in whitelist"),
    e(40170, "count_limit", "args count exceed count limit"),
    e(41001, "access_token_missing", "access_token missing"),
    e(41002, "appid_missing", "appid missing"),
    e(41004, "appsecret_missing", "appsecret missing"),
    e(41018, "missing_component_appid", "missing component_appid"),
    e(41021, "missing_component_access_token", "missing component_access_token"),
    e(42001, "access_token_expired", "access_token expired"),
    e(42006, "component_access_token_expired", "component_access_token expired"),
    e(42007, "token_exception", "access_token and refresh_token exception"),
    e(43002, "require_post", "require POST method"),
    e(43003, "require_https", "require https"),
    e(44002, "empty_post_data", "empty post data"),
    e(45009, "daily_quota", "reach max api daily quota limit"),
    e(45009, "daily_quota_old", "api freq out of limit"),
    e(45011, "minute_quota", "api minute-quota reach limit, must slower, retry next minute"),
    e(45035, "client_ip_not_in_whitelist", "access clientip is not registered, not in ip-white-list"),
    e(47001, "data_format_error", "data format error"),
    e(48001, "api_unauthorized", "api unauthorized"),
    e(48004, "api_forbidden", "api forbidden for irregularities, view detail on mp.weixin.qq.com"),
    e(48006, "forbid_clear_quota", "forbid to clear quota because of reaching the limit"),
    e(50001, "user_unauthorized", "user unauthorized"),
    e(50001, "api_or_user_unauthorized", "api unauthorized or user unauthorized"),
    e(50002, "user_limited", "user limited"),
    e(61000, "invalid_component_type", "invalid component type"),
    e(61001, "component_type_mismatch", "component type and component appid is not match"),
    e(61003, "not_authorized_by_account", "component is not authorized by this account"),
    e(61003, "not_authorized_by_account_old", "component is not authorized by biz acct"),
    e(61004, "client_ip_not_registered", "access clientip is not registered"),
    e(61005, "ticket_expired", "component ticket is expired"),
    e(61006, "ticket_invalid", "component ticket is invalid"),
    e(61007, "api_unauthorized_to_component", "api is unauthorized to component"),
    e(61008, "req_key_duplicated", "component req key is duplicated"),
    e(61009, "code_invalid", "code is invalid"),
    e(61010, "code_expired", "code is expired"),
    e(61011, "invalid_component", "invalid component"),
    e(61014, "must_use_component_token", "must use component token for component api"),
    e(61016, "category_unconfirmed", "function category of API need be confirmed by component"),
    e(61017, "category_unauthorized", "function category is not authorized"),
    e(61023, "refresh_token_invalid", "refresh_token is invalid"),
    e(
        61024,
        "must_use_api_component_token",
        "must use api(api_component_token) to get token for component acct",
    ),
    e(61028, "component_unpublished", "component is unpublished"),
    e(61029, "component_need_republish", "component need republish with base category"),
    e(76001, "rid_too_old", "rid older than 7 days"),
    e(76003, "rid_no_permission", "could not query this rid , no permission"),
    e(76021, "cgi_path_not_found", "cgi_path not found, please check"),
    e(76022, "cgi_path_no_permission", "could not use this cgi_path，no permission"),
];

/// The usual text of `code`, or WeChat's generic `system error` if the code is unknown.
#[must_use]
pub fn errmsg_of(code: i64) -> &'static str {
    ERRCODES.iter().find(|known| known.code == code).map_or("system error", |known| known.errmsg)
}

/// The table's entry with this name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static Errcode> {
    ERRCODES.iter().find(|known| known.name == name)
}
