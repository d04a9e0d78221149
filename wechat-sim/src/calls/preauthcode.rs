//! `api_create_preauthcode`: answers a new pre-authorization code to every call.

use serde::Serialize;

use super::call::{Answer, Call, json};
use crate::state::SimState;

#[derive(Serialize)]
struct CodeAnswer {
    pre_auth_code: String,
    expires_in: u64,
}

pub(super) fn answer(state: &mut SimState, call: &Call<'_>) -> Answer {
    call.component_object(state)?;
    json(&CodeAnswer {
        pre_auth_code: state.issued.issue_code(call.now, call.config.code_lifetime),
        expires_in: call.config.code_lifetime.as_secs(),
    })
}
