//! The ticket schedule: a push every so often, each value twice in a row.

use std::sync::Arc;
use std::time::Duration;

use super::{Push, deliver};
use crate::shared::Shared;

/// Pushes the ticket every `interval` of real time, and at once when the pushes were started again.
/// Ends with the task it runs in.
pub(crate) async fn run(shared: Arc<Shared>, interval: Option<Duration>) {
    let mut pushed = 0_u64;
    loop {
        match interval {
            // The first push comes right after the start, when the receiver can be reached.
            Some(_) if pushed == 0 => {}
            Some(interval) => tokio::select! {
                () = tokio::time::sleep(interval) => {}
                () = shared.push_now.notified() => {}
            },
            None => shared.push_now.notified().await,
        }
        pushed += 1;
        let (pushing, url) = {
            let mut world = shared.world();
            // WeChat's value changes with every second push.
            if pushed > 1 && pushed % 2 == 1 {
                let now = shared.clock.now();
                world.issued.issue_ticket(now);
            }
            (world.pushing, world.callback_url.clone())
        };
        if pushing && let Some(url) = url {
            deliver(&shared, &url, &Push::ticket()).await;
        }
    }
}
