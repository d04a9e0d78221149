//! The event bus on Amazon EventBridge: one entry in each call. Only the callback uses this.

use async_trait::async_trait;
use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use secrecy::ExposeSecret as _;

use super::clients::cause;
use crate::platform::bus::SOURCE;
use crate::platform::{BusError, BusEvent, EventBus};

/// One bus.
pub struct EventBridgeBus {
    client: Client,
    name: String,
}

impl EventBridgeBus {
    /// The bus with this name or ARN.
    pub const fn new(client: Client, name: String) -> Self {
        Self { client, name }
    }
}

#[async_trait]
impl EventBus for EventBridgeBus {
    async fn put(&self, event: &BusEvent) -> Result<(), BusError> {
        let entry = PutEventsRequestEntry::builder()
            .event_bus_name(&self.name)
            .source(SOURCE)
            .detail_type(&event.detail_type)
            .detail(event.detail.expose_secret())
            .build();
        let answer =
            self.client.put_events().entries(entry).send().await.map_err(|error| BusError(cause(error)))?;
        // EventBridge answers 200 also when it refuses an entry.
        if answer.failed_entry_count == 0 {
            return Ok(());
        }
        let code = answer.entries().iter().find_map(|entry| entry.error_code());
        Err(BusError(code.unwrap_or("the entry was refused").into()))
    }
}
