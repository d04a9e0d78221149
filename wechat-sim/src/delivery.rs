//! Delivers pushes, on demand and by the ticket schedule, and records them.

use std::sync::Arc;

use crate::push::{Attempt, Push, PushOutcome, PushRecord, build};
use crate::state::SimContext;

/// Builds a push, sends it with retries, and records it.
pub(crate) async fn deliver(context: &SimContext, url: &str, push: &Push) -> PushOutcome {
    let at = context.clock.now();
    let ticket = context.state().issued.current_ticket().to_owned();
    let outcome = match build(push, &context.config, at, &ticket) {
        Ok(built) => context.sender.send(url, &built, &context.config).await,
        Err(error) => PushOutcome { delivered: false, attempts: vec![Attempt::not_made(error.to_string())] },
    };
    context.state().pushes.add(PushRecord {
        at,
        info_type: push.event.name().to_owned(),
        flaw: push.flaw,
        url: url.to_owned(),
        outcome: outcome.clone(),
    });
    outcome
}

/// Pushes the ticket at every push interval of real time, and at once when the pushes start again. A new
/// ticket comes with every second push. Runs until its task is aborted.
pub(crate) async fn run_schedule(context: Arc<SimContext>) {
    let mut pushed = 0_u64;
    loop {
        match context.config.push_interval {
            // The first push comes right after the start.
            Some(_) if pushed == 0 => {}
            Some(interval) => tokio::select! {
                () = tokio::time::sleep(interval) => {}
                () = context.push_now.notified() => {}
            },
            None => context.push_now.notified().await,
        }
        pushed += 1;
        if pushed > 1 && pushed % 2 == 1 {
            context.issue_ticket();
        }
        let url = {
            let state = context.state();
            state.callback_url.clone().filter(|_| state.pushing)
        };
        if let Some(url) = url {
            deliver(&context, &url, &Push::ticket()).await;
        }
    }
}
