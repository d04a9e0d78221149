//! `openapi/rid/get`: answers what WeChat stored about a failed request. The answer holds the request's body
//! with its secrets, as WeChat's own answer does.

use serde::Serialize;

use super::call::{Answer, Call, json, text};
use crate::errcode::Refusal;
use crate::errmsg::time_of_rid;
use crate::state::SimState;

/// WeChat answers for seven days.
const RID_LIFETIME_SECS: u64 = 7 * 24 * 3600;

#[derive(Serialize)]
struct RidAnswer<'a> {
    errcode: i64,
    errmsg: &'static str,
    request: Request<'a>,
}

#[derive(Serialize)]
struct Request<'a> {
    invoke_time: u64,
    cost_in_ms: u64,
    request_url: &'a str,
    request_body: &'a str,
    response_body: &'a str,
    client_ip: String,
}

pub(super) fn answer(state: &mut SimState, call: &Call<'_>) -> Answer {
    call.check_token(state)?;
    let body = call.object()?;
    let rid = text(&body, "rid").ok_or(Refusal(47001))?;
    let created = time_of_rid(rid).ok_or(Refusal(76003))?;
    if call.now > created + RID_LIFETIME_SECS {
        return Err(Refusal(76001));
    }
    let failed = state.log.find_rid(rid).ok_or(Refusal(76003))?;
    json(&RidAnswer {
        errcode: 0,
        errmsg: "ok",
        request: Request {
            invoke_time: failed.at,
            cost_in_ms: 30,
            request_url: &failed.query,
            request_body: &failed.body,
            response_body: &failed.answer,
            client_ip: failed.client_ip.to_string(),
        },
    })
}
