//! `openapi/rid/get`: what WeChat remembers of a failed request. The answer holds the request's
//! body, secrets included, just as WeChat's does.

use serde::Serialize;

use super::{Answer, Call, text};
use crate::errmsg::time_of_rid;
use crate::issued::Refusal;
use crate::shared::SimState;

/// Rids can be asked for during seven days.
const MEMORY_SECS: u64 = 7 * 24 * 3600;

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

pub(super) fn answer(world: &mut SimState, call: &Call<'_>) -> Answer {
    call.check_token(world)?;
    let body = call.object()?;
    let rid = text(&body, "rid").ok_or(Refusal(47001))?;
    let given_out = time_of_rid(rid).ok_or(Refusal(76003))?;
    if call.now > given_out + MEMORY_SECS {
        return Err(Refusal(76001));
    }
    let entry = world.log.find_rid(rid).ok_or(Refusal(76003))?;
    let answer = RidAnswer {
        errcode: 0,
        errmsg: "ok",
        request: Request {
            invoke_time: entry.at,
            cost_in_ms: 30,
            request_url: &entry.query,
            request_body: &entry.body,
            response_body: &entry.answer,
            client_ip: entry.client_ip.to_string(),
        },
    };
    serde_json::to_string(&answer).map_err(|_| Refusal(-1))
}
