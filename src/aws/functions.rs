//! The function `preauthcode`, invoked directly. Only `authorize` uses this.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_lambda::Client;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use tokio::time::{Instant, timeout_at};

use super::clients::cause;
use crate::platform::Cause;
use crate::platform::links::{CodeFunction, Invoked};

/// The longest time for one invocation: `preauthcode` itself answers within it.
pub const INVOCATION_TIMEOUT: Duration = Duration::from_secs(20);

/// One function.
pub struct LambdaFunction {
    client: Client,
    name: String,
}

impl LambdaFunction {
    /// The function with this name or ARN, or an alias of it.
    pub const fn new(client: Client, name: String) -> Self {
        Self { client, name }
    }
}

#[async_trait]
impl CodeFunction for LambdaFunction {
    async fn invoke(&self, event: Vec<u8>, deadline: Instant) -> Result<Invoked, Cause> {
        let request = self.client.invoke().function_name(&self.name).payload(Blob::new(event)).send();
        let answer =
            timeout_at(deadline, request).await.map_err(|_elapsed| Cause::from("no answer in time"))?;
        let answer = answer.map_err(cause)?;
        let payload = answer.payload.map(Blob::into_inner).unwrap_or_default();
        Ok(Invoked { payload, failed: answer.function_error.is_some() })
    }

    async fn may_invoke(&self) -> Result<(), Cause> {
        let request = self.client.invoke().function_name(&self.name).invocation_type(InvocationType::DryRun);
        request.send().await.map(|_| ()).map_err(cause)
    }
}
