//! What the merchant's pages use instead of AWS: the function `preauthcode` in this process, and a bus that prints.

use std::sync::Arc;

use async_trait::async_trait;
use lambda_http::request::RequestContext;
use lambda_http::{Body, Request, RequestExt as _};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tokio::time::Instant;
use wechat_preauth::api::preauthcode::PreAuthCodeHandler;
use wechat_preauth::platform::links::{CodeFunction, Invoked, NotInvoked};
use wechat_preauth::platform::{BusError, BusEvent, Cause, EventBus};

/// `preauthcode`, invoked as Lambda does it directly.
pub struct LocalFunction(pub Arc<PreAuthCodeHandler>);

#[async_trait]
impl CodeFunction for LocalFunction {
    async fn invoke(&self, event: Vec<u8>, _deadline: Instant) -> Result<Invoked, NotInvoked> {
        let request = Request::new(Body::Binary(event)).with_request_context(RequestContext::PassThrough);
        Ok(match self.0.clone().handle(request).await {
            Ok(answer) => Invoked { payload: answer.body().to_vec(), failed: false },
            Err(error) => {
                let error = json!({ "errorType": error.code.as_str(), "errorMessage": error.message });
                Invoked { payload: error.to_string().into_bytes(), failed: true }
            }
        })
    }

    async fn may_invoke(&self) -> Result<(), Cause> {
        Ok(())
    }
}

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
