//! `api_get_authorizer_list`: all authorizers. The refresh token of an account is empty until a code of it was
//! redeemed.

use serde::Serialize;
use serde_json::Value;

use super::call::{Answer, Call, json};
use crate::errcode::Refusal;
use crate::state::SimState;

/// WeChat: 500 at most.
const MAX_COUNT: usize = 500;

#[derive(Serialize)]
struct ListAnswer<'a> {
    total_count: usize,
    list: Vec<Listed<'a>>,
}

#[derive(Serialize)]
struct Listed<'a> {
    authorizer_appid: &'a str,
    refresh_token: &'a str,
    auth_time: u64,
}

pub(super) fn answer(state: &mut SimState, call: &Call<'_>) -> Answer {
    let body = call.component_object(state)?;
    let number = |name| {
        let value = body.get(name).and_then(Value::as_u64).and_then(|number| usize::try_from(number).ok());
        value.ok_or(Refusal(47001))
    };
    let (offset, count) = (number("offset")?, number("count")?);
    if count > MAX_COUNT {
        return Err(Refusal(40170));
    }
    let all = state.authorizers.all();
    json(&ListAnswer {
        total_count: all.len(),
        list: all
            .skip(offset)
            .take(count)
            .map(|authorization| Listed {
                authorizer_appid: &authorization.account.appid,
                refresh_token: if authorization.redeemed { &authorization.refresh_token } else { "" },
                auth_time: authorization.auth_time,
            })
            .collect(),
    })
}
