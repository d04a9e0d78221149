//! `api_component_token`: takes appid, secret and ticket, and answers a component access token.
//!
//! The order of the checks is the observed one: no usable body 41018, unknown component 61011 (also with a
//! null ticket), ticket missing or unknown 61006, ticket too old 61005. It is not published when WeChat checks
//! whitelist, quota and secret. The simulator checks them right after the component.

use serde::Serialize;

use super::call::{Answer, Call, json, text};
use crate::Endpoint;
use crate::errcode::Refusal;
use crate::state::SimState;

#[derive(Serialize)]
struct TokenAnswer {
    component_access_token: String,
    expires_in: u64,
}

pub(super) fn answer(state: &mut SimState, call: &Call<'_>) -> Answer {
    let config = call.config;
    let body = call.object().map_err(|_| Refusal(41018))?;
    let appid = text(&body, "component_appid").ok_or(Refusal(41018))?;
    if appid != config.component_appid {
        return Err(Refusal(61011));
    }
    call.check_ip(state)?;
    state.quota.spend(Endpoint::ComponentToken, call.now, config)?;
    let secret = text(&body, "component_appsecret").ok_or(Refusal(41004))?;
    if secret != config.component_appsecret {
        return Err(Refusal(40125));
    }
    let ticket = text(&body, "component_verify_ticket").ok_or(Refusal(61006))?;
    state.issued.check_ticket(ticket, call.now, config.ticket_lifetime)?;
    json(&TokenAnswer {
        component_access_token: state.issued.mint(call.now, config.token_lifetime, config.token_overlap),
        expires_in: config.token_lifetime.as_secs(),
    })
}
