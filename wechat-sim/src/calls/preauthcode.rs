//! `api_create_preauthcode`: answers a new pre-authorization code to every call.

use serde::Serialize;

use super::call::{Answer, Call, json, text};
use crate::Endpoint;
use crate::errcode::Refusal;
use crate::state::SimState;

#[derive(Serialize)]
struct CodeAnswer {
    pre_auth_code: String,
    expires_in: u64,
}

pub(super) fn answer(state: &mut SimState, call: &Call<'_>) -> Answer {
    call.check_token(state)?;
    state.quota.spend(Endpoint::CreatePreAuthCode, call.now, call.config)?;
    let body = call.object()?;
    let appid = text(&body, "component_appid").ok_or(Refusal(41018))?;
    if appid != call.config.component_appid {
        return Err(Refusal(40013));
    }
    json(&CodeAnswer {
        pre_auth_code: state.issued.issue_code(call.now, call.config.code_lifetime),
        expires_in: call.config.code_lifetime.as_secs(),
    })
}
