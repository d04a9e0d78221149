//! `api_component_token`: appid, secret and ticket in, a component access token out.
//!
//! The order of the checks is the observed one: no usable body 41018, no such component 61011 (also
//! with a null ticket), ticket missing or foreign 61006, ticket too old 61005. Nobody has published
//! where whitelist, quota and secret stand; here they follow the component they belong to.

use serde::Serialize;

use super::{Answer, Call, text};
use crate::Endpoint;
use crate::issued::Refusal;
use crate::shared::SimState;

#[derive(Serialize)]
struct Minted {
    component_access_token: String,
    expires_in: u64,
}

pub(super) fn answer(world: &mut SimState, call: &Call<'_>) -> Answer {
    let config = call.config;
    let body = call.object().map_err(|_| Refusal(41018))?;
    let appid = text(&body, "component_appid").ok_or(Refusal(41018))?;
    if appid != config.component_appid {
        return Err(Refusal(61011));
    }
    call.check_ip(world)?;
    world.quota.spend(Endpoint::ComponentToken, call.now, config)?;
    let secret = text(&body, "component_appsecret").ok_or(Refusal(41004))?;
    if secret != config.component_appsecret {
        return Err(Refusal(40125));
    }
    let ticket = text(&body, "component_verify_ticket").ok_or(Refusal(61006))?;
    world.issued.check_ticket(ticket, call.now, config.ticket_lifetime)?;
    let minted = Minted {
        component_access_token: world.issued.mint(call.now, config.token_lifetime, config.token_overlap),
        expires_in: config.token_lifetime.as_secs(),
    };
    serde_json::to_string(&minted).map_err(|_| Refusal(-1))
}
