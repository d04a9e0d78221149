//! The start of the callback, which calls AWS only.

use std::sync::Arc;
use std::time::Duration;

use super::{StartError, credentials, metrics, roots, state, within};
use crate::aws::{Aws, EventBridgeBus};
use crate::config::CallbackConfig;
use crate::platform::{PushServices, SystemClock};

/// How long the callback prepares its first push, which may be waiting: WeChat waits five seconds in all.
const WARM_UP: Duration = Duration::from_secs(1);

/// Builds what the callback works with. It never calls WeChat.
///
/// # Errors
/// When TLS cannot be set up, or the extra CA file is unusable.
pub fn services(config: &CallbackConfig) -> Result<PushServices, StartError> {
    let aws = Aws::from_env(&roots(&config.common)?)?;
    let state = state(&aws, &config.common);
    Ok(PushServices {
        clock: Arc::new(SystemClock),
        tickets: state.clone(),
        links: state,
        credentials: credentials(&aws, &config.credentials_secret_id),
        bus: Arc::new(EventBridgeBus::new(aws.eventbridge(), config.event_bus_name.clone())),
        metrics: metrics(&config.common),
    })
}

/// Reads the credentials and connects to the table, both at once. A failure here stops nothing: the first push tries
/// again.
pub async fn warm_up(services: &PushServices) {
    // The item is read for the connection only. The function's role may read ticket items and no others.
    let connect = services.tickets.ticket_item("warm-up");
    within(WARM_UP, async { tokio::join!(services.credentials.get(), connect) }).await;
}
