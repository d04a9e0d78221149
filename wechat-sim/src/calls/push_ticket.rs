//! `api_start_push_ticket`: starts the ticket pushes again. Its secret is called `component_secret`,
//! and it needs no token: there is none before the first ticket.

use super::{Answer, Call, OK, text};
use crate::Endpoint;
use crate::issued::Refusal;
use crate::shared::SimState;

/// The answer when the pushes are running already.
pub(crate) const NORMAL: &str = r#"{"errcode":0,"errmsg":"in a normal state"}"#;

pub(super) fn answer(world: &mut SimState, call: &Call<'_>) -> Answer {
    let body = call.object().map_err(|_| Refusal(41018))?;
    let appid = text(&body, "component_appid").ok_or(Refusal(41018))?;
    if appid != call.config.component_appid {
        return Err(Refusal(61011));
    }
    call.check_ip(world)?;
    world.quota.spend(Endpoint::StartPushTicket, call.now, call.config)?;
    let secret = text(&body, "component_secret").ok_or(Refusal(41004))?;
    if secret != call.config.component_appsecret {
        return Err(Refusal(40125));
    }
    let was_running = std::mem::replace(&mut world.pushing, true);
    Ok(if was_running { NORMAL } else { OK }.to_owned())
}
