//! What 同意授权 and its withdrawal do: they change the authorizations and push the event.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::CodeState;
use crate::authorizer::{Account, Change, EventOrder, IssuedAuthCode};
use crate::delivery::deliver;
use crate::push::{Event, Push, PushOutcome};
use crate::state::SimContext;

/// Records that `account` grants these permission sets, and pushes the event. Returns the codes when the redirect
/// may be answered.
pub(crate) async fn agree(
    context: &Arc<SimContext>,
    pre_auth_code: &str,
    account: Account,
    permission_sets: Vec<u32>,
) -> IssuedAuthCode {
    let (issued, push) = record(context, pre_auth_code, account, permission_sets);
    if let Some(before) = push.and_then(|push| announce(context, push)) {
        // A receiver that does not answer delays the merchant no longer than this. The push goes on.
        drop(tokio::time::timeout(context.config.push_timeout, before).await);
    }
    issued
}

/// Uses the code and records an authorization without the pages. The event is pushed in the background. Without
/// `permission_sets` the account grants all that the platform asks for.
pub(crate) fn authorize(
    context: &Arc<SimContext>,
    pre_auth_code: &str,
    authorizer_appid: &str,
    permission_sets: Option<Vec<u32>>,
) -> Result<IssuedAuthCode, CodeState> {
    let (account, permission_sets) = {
        let mut state = context.state();
        match state.issued.use_code(pre_auth_code, context.clock.now()) {
            CodeState::Valid => {}
            refused => return Err(refused),
        }
        let account = state.authorization.account(authorizer_appid);
        let all = || state.authorization.offered(account.kind, &[]).iter().map(|set| set.id).collect();
        let permission_sets = permission_sets.unwrap_or_else(all);
        (account, permission_sets)
    };
    let (issued, push) = record(context, pre_auth_code, account, permission_sets);
    if let Some(push) = push {
        drop(announce(context, push));
    }
    Ok(issued)
}

/// Ends the authorization of an account, as its administrator can on mp.weixin.qq.com, and pushes `unauthorized`.
/// `None` if there was none; an empty outcome without a callback URL.
pub(crate) async fn withdraw(context: &SimContext, authorizer_appid: &str) -> Option<PushOutcome> {
    let url = {
        let mut state = context.state();
        if !state.authorizers.withdraw(authorizer_appid) {
            return None;
        }
        state.callback_url.clone()
    };
    Some(match url {
        Some(url) => deliver(context, &url, &Push::new(Event::unauthorized(authorizer_appid))).await,
        None => PushOutcome::default(),
    })
}

/// The codes, and the push that the authorization causes.
fn record(
    context: &SimContext,
    pre_auth_code: &str,
    account: Account,
    permission_sets: Vec<u32>,
) -> (IssuedAuthCode, Option<Push>) {
    let now = context.clock.now();
    let mut state = context.state();
    let (expires_in, one_code) =
        (state.authorization.auth_code_expires_in, state.authorization.one_auth_code);
    let appid = account.appid.clone();
    let change = state.authorizers.grant(account, permission_sets, now);
    let issued = state.authorizers.issue(&appid, expires_in, one_code, now);
    let event = match change {
        Change::First => Event::authorized,
        Change::Update => Event::update_authorized,
        Change::None => return (issued, None),
    };
    let event = event(&appid, &issued.event_code, issued.event_code_expires_at, pre_auth_code);
    (issued, Some(Push::new(event).created(now)))
}

/// Sends the push as the rules say. Returns the task that is over when the redirect may be answered.
fn announce(context: &Arc<SimContext>, push: Push) -> Option<JoinHandle<()>> {
    let (url, order, delay) = {
        let state = context.state();
        let delay = Duration::from_millis(state.authorization.event_delay_ms);
        (state.callback_url.clone()?, state.authorization.event_order, delay)
    };
    let send = |push: Push, delay| {
        let (context, url) = (Arc::clone(context), url.clone());
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            deliver(&context, &url, &push).await;
        })
    };
    if order != EventOrder::Before {
        drop(send(push.clone(), delay));
    }
    (order != EventOrder::After).then(|| send(push, Duration::ZERO))
}
