//! A bus that prints each event.

use async_trait::async_trait;
use secrecy::ExposeSecret as _;
use serde_json::Value;
use wechat_preauth::platform::{BusError, BusEvent, EventBus};

/// A bus that prints each event.
pub struct ConsoleBus;

#[async_trait]
impl EventBus for ConsoleBus {
    async fn put(&self, event: &BusEvent) -> Result<(), BusError> {
        // Everything in it is the simulator's: no secret of anybody is printed.
        let detail: Value = serde_json::from_str(event.detail.expose_secret()).unwrap_or_default();
        println!("an event on the bus   {}\n{detail:#}\n", event.detail_type);
        Ok(())
    }
}
