//! `clear_quota` in its three forms, and `openapi/quota/get`.

use serde::Serialize;

use super::call::{Answer, Call, OK, json, text};
use crate::Endpoint;
use crate::errcode::Refusal;
use crate::state::SimState;

/// The daily limit that an API without a limit shows.
const UNLIMITED: u64 = 100_000_000;

/// By token. `field` is the name of the appid in the body.
pub(super) fn clear(state: &mut SimState, call: &Call<'_>, field: &str) -> Answer {
    call.check_token(state)?;
    let body = call.object()?;
    let appid = text(&body, field).ok_or(Refusal(if field == "appid" { 41002 } else { 41018 }))?;
    if appid != call.config.component_appid {
        return Err(Refusal(40013));
    }
    state.quota.clear(call.now, false, call.config)?;
    state.quota.spend(call.request.api, call.now, call.config)?;
    Ok(OK.to_owned())
}

/// By appsecret. This form also clears the count of token mints.
pub(super) fn clear_by_secret(state: &mut SimState, call: &Call<'_>) -> Answer {
    let body = call.object()?;
    let appid = text(&body, "component_appid").ok_or(Refusal(41002))?;
    if appid != call.config.component_appid {
        return Err(Refusal(40013));
    }
    call.check_ip(state)?;
    let secret = text(&body, "appsecret").ok_or(Refusal(41004))?;
    if secret != call.config.component_appsecret {
        return Err(Refusal(40125));
    }
    state.quota.clear(call.now, true, call.config)?;
    state.quota.spend(Endpoint::ClearQuotaV2, call.now, call.config)?;
    Ok(OK.to_owned())
}

#[derive(Serialize)]
struct QuotaAnswer {
    errcode: i64,
    errmsg: &'static str,
    quota: Daily,
    #[serde(skip_serializing_if = "Option::is_none")]
    rate_limit: Option<RateLimit>,
}

#[derive(Serialize)]
struct Daily {
    daily_limit: u64,
    used: u64,
    remain: u64,
}

#[derive(Serialize)]
struct RateLimit {
    call_count: u64,
    refresh_second: u64,
}

/// The limits of one `cgi_path`.
pub(super) fn get(state: &mut SimState, call: &Call<'_>) -> Answer {
    call.check_token(state)?;
    let body = call.object()?;
    let path = text(&body, "cgi_path").ok_or(Refusal(47001))?;
    if !path.starts_with('/') {
        return Err(Refusal(76003));
    }
    if path.starts_with("/sns/") {
        return Err(Refusal(76022));
    }
    let api = Endpoint::of_path(path);
    if api == Endpoint::Unknown || api.is_page() {
        return Err(Refusal(76021));
    }
    let daily_limit = call.config.daily_quota.get(&api).copied().unwrap_or(UNLIMITED);
    let used = state.quota.used_today(api, call.now);
    json(&QuotaAnswer {
        errcode: 0,
        errmsg: "ok",
        quota: Daily { daily_limit, used, remain: daily_limit.saturating_sub(used) },
        rate_limit: call
            .config
            .minute_quota
            .get(&api)
            .map(|&call_count| RateLimit { call_count, refresh_second: 60 }),
    })
}
