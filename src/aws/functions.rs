//! The function `preauthcode`, invoked directly. Only `authorize` uses this.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_lambda::Client;
use aws_sdk_lambda::error::SdkError;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use tokio::time::{Instant, timeout_at};

use super::clients::cause;
use crate::platform::Cause;
use crate::platform::links::{CodeFunction, Invoked, NotInvoked};

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
    async fn invoke(&self, event: Vec<u8>, deadline: Instant) -> Result<Invoked, NotInvoked> {
        let request = self.client.invoke().function_name(&self.name).payload(Blob::new(event)).send();
        let late = |_elapsed| NotInvoked { cause: "no answer in time".into(), unclear: true };
        let answer = timeout_at(deadline, request).await.map_err(late)?;
        let answer =
            answer.map_err(|error| NotInvoked { unclear: may_have_run(&error), cause: cause(error) })?;
        let payload = answer.payload.map(Blob::into_inner).unwrap_or_default();
        Ok(Invoked { payload, failed: answer.function_error.is_some() })
    }

    async fn may_invoke(&self) -> Result<(), Cause> {
        let request = self.client.invoke().function_name(&self.name).invocation_type(InvocationType::DryRun);
        request.send().await.map(|_| ()).map_err(cause)
    }
}

/// Lambda refuses with a 4xx before it runs anything: no permission, no such function, no concurrency left.
fn may_have_run<E>(error: &SdkError<E, HttpResponse>) -> bool {
    match error {
        SdkError::ServiceError(refused) => refused.raw().status().is_server_error(),
        SdkError::ConstructionFailure(_) => false,
        _ => true,
    }
}
