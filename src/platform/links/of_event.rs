//! Which merchant was it? Adds to an event the link through which its pre-auth code was taken.
//!
//! WeChat's event has no `state`, and its redirect names no account. The code is what they share.

use std::time::Duration;

use serde_json::{Map, Value};
use tokio::time::Instant;

use super::store::LinkStore;
use crate::platform::cause::in_time;
use crate::platform::state::StateError;

/// How long the look-up may take. The table answers in a few milliseconds.
const LOOK_UP: Duration = Duration::from_millis(800);

/// What the bus has at least left after the look-up.
const LEFT_FOR_THE_BUS: Duration = Duration::from_millis(1500);

/// Adds `link_id`, `reference` and `state`. A code that was not taken through a link adds nothing; nor does a failed
/// look-up, which must not hold an event back.
pub(crate) async fn name_link(
    links: &dyn LinkStore,
    code_fingerprint: &str,
    detail: &mut Map<String, Value>,
    deadline: Instant,
) {
    let until = (Instant::now() + LOOK_UP).min(deadline.checked_sub(LEFT_FOR_THE_BUS).unwrap_or(deadline));
    let link = match in_time(until, StateError, links.code_link(code_fingerprint)).await {
        Ok(Some(link)) => link,
        Ok(None) => return,
        Err(error) => {
            tracing::warn!(code_fingerprint, %error, "an event goes without the name of its link");
            return;
        }
    };
    detail.insert("link_id".to_owned(), link.link_id.into());
    let optional = [("reference", link.reference), ("state", link.state)];
    detail.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into()))));
}
