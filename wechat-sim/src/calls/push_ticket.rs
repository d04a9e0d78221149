//! `api_start_push_ticket`: starts the ticket pushes again. The secret is called `component_secret` here. The
//! call needs no token, because without a ticket there is none.

use super::call::{Answer, Call, OK, text};
use crate::Endpoint;
use crate::errcode::Refusal;
use crate::state::SimState;

/// The answer when the pushes already run.
const NORMAL: &str = r#"{"errcode":0,"errmsg":"in a normal state"}"#;

pub(super) fn answer(state: &mut SimState, call: &Call<'_>) -> Answer {
    let body = call.object().map_err(|_| Refusal(41018))?;
    let appid = text(&body, "component_appid").ok_or(Refusal(41018))?;
    if appid != call.config.component_appid {
        return Err(Refusal(61011));
    }
    call.check_ip(state)?;
    state.quota.spend(Endpoint::StartPushTicket, call.now, call.config)?;
    let secret = text(&body, "component_secret").ok_or(Refusal(41004))?;
    if secret != call.config.component_appsecret {
        return Err(Refusal(40125));
    }
    let was_running = std::mem::replace(&mut state.pushing, true);
    Ok(if was_running { NORMAL } else { OK }.to_owned())
}
