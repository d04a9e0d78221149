//! The JSON calls: which file answers which call.

mod authorizer_info;
mod authorizer_list;
mod authorizer_token;
mod call;
mod component_token;
mod preauthcode;
mod push_ticket;
mod query_auth;
mod quota;
mod rid;

pub(crate) use call::{Answer, Call};

use crate::Endpoint;
use crate::errcode::Refusal;
use crate::state::SimState;

/// Processes a call.
pub(crate) fn answer(state: &mut SimState, call: &Call<'_>) -> Answer {
    match call.request.api {
        Endpoint::Unknown | Endpoint::AuthPagePc | Endpoint::AuthPageMobile => Err(Refusal(40066)),
        _ if call.request.method != "POST" => Err(Refusal(43002)),
        Endpoint::ComponentToken => component_token::answer(state, call),
        Endpoint::CreatePreAuthCode => preauthcode::answer(state, call),
        Endpoint::StartPushTicket => push_ticket::answer(state, call),
        Endpoint::ClearQuota => quota::clear(state, call, "appid"),
        Endpoint::ComponentClearQuota => quota::clear(state, call, "component_appid"),
        Endpoint::ClearQuotaV2 => quota::clear_by_secret(state, call),
        Endpoint::GetQuota => quota::get(state, call),
        Endpoint::GetRid => rid::answer(state, call),
        Endpoint::QueryAuth => query_auth::answer(state, call),
        Endpoint::AuthorizerToken => authorizer_token::answer(state, call),
        Endpoint::GetAuthorizerInfo => authorizer_info::answer(state, call),
        Endpoint::GetAuthorizerList => authorizer_list::answer(state, call),
    }
}
