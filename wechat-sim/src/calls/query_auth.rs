//! `api_query_auth`: redeems an authorization code, from the redirect or from the event, each once.
//!
//! A missing code is 61009, as WeChat's staff found in a developer's request. It is not documented what a code that
//! was redeemed gets; here it is 61009 as well.

use serde::Serialize;
use serde_json::Value;

use super::authorizer_token::ACCESS_TOKEN_LIFETIME;
use super::call::{Answer, Call, func_info, json, text};
use crate::errcode::Refusal;
use crate::state::SimState;

#[derive(Serialize)]
struct QueryAuthAnswer {
    authorization_info: AuthorizationInfo,
}

#[derive(Serialize)]
struct AuthorizationInfo {
    authorizer_appid: String,
    authorizer_access_token: String,
    expires_in: u64,
    authorizer_refresh_token: String,
    func_info: Vec<Value>,
}

pub(super) fn answer(state: &mut SimState, call: &Call<'_>) -> Answer {
    let body = call.component_object(state)?;
    let code = text(&body, "authorization_code").ok_or(Refusal(61009))?;
    let authorization = state.authorizers.redeem(code, call.now)?;
    json(&QueryAuthAnswer {
        authorization_info: AuthorizationInfo {
            func_info: func_info(&authorization),
            authorizer_appid: authorization.account.appid,
            authorizer_access_token: state.authorizers.access_token(),
            expires_in: ACCESS_TOKEN_LIFETIME,
            authorizer_refresh_token: authorization.refresh_token,
        },
    })
}
