//! `api_create_preauthcode`: a new pre-authorization code with every call.

use serde::Serialize;

use super::{Answer, Call, text};
use crate::Endpoint;
use crate::issued::Refusal;
use crate::shared::SimState;

#[derive(Serialize)]
struct Issued {
    pre_auth_code: String,
    expires_in: u64,
}

pub(super) fn answer(world: &mut SimState, call: &Call<'_>) -> Answer {
    call.check_token(world)?;
    world.quota.spend(Endpoint::CreatePreAuthCode, call.now, call.config)?;
    let body = call.object()?;
    let appid = text(&body, "component_appid").ok_or(Refusal(41018))?;
    if appid != call.config.component_appid {
        return Err(Refusal(40013));
    }
    let issued = Issued {
        pre_auth_code: world.issued.issue_code(call.now, call.config.code_lifetime),
        expires_in: call.config.code_lifetime.as_secs(),
    };
    serde_json::to_string(&issued).map_err(|_| Refusal(-1))
}
