//! `api_authorizer_token`: answers a new access token of an authorizer. The refresh token stays the same until the
//! account withdraws its authorization.

use serde::Serialize;

use super::call::{Answer, Call, authorizer, json, text};
use crate::errcode::Refusal;
use crate::state::SimState;

/// WeChat: two hours.
pub(super) const ACCESS_TOKEN_LIFETIME: u64 = 7200;

#[derive(Serialize)]
struct TokenAnswer {
    authorizer_access_token: String,
    expires_in: u64,
    authorizer_refresh_token: String,
}

pub(super) fn answer(state: &mut SimState, call: &Call<'_>) -> Answer {
    let body = call.component_object(state)?;
    let refresh_token = authorizer(state, &body)?.refresh_token.clone();
    if text(&body, "authorizer_refresh_token") != Some(&refresh_token) {
        return Err(Refusal(61023));
    }
    json(&TokenAnswer {
        authorizer_access_token: state.authorizers.access_token(),
        expires_in: ACCESS_TOKEN_LIFETIME,
        authorizer_refresh_token: refresh_token,
    })
}
