//! The function `preauthcode` in the same process, invoked as Lambda invokes it directly: for tests, and for `make run`.

use std::sync::Arc;

use async_trait::async_trait;
use lambda_http::request::RequestContext;
use lambda_http::{Body, Request, RequestExt as _};
use serde_json::json;
use tokio::time::Instant;

use super::preauthcode::PreAuthCodeHandler;
use crate::platform::Cause;
use crate::platform::links::{CodeFunction, Invoked, NotInvoked};

/// The function. It keeps its own time.
pub struct InProcess(pub Arc<PreAuthCodeHandler>);

#[async_trait]
impl CodeFunction for InProcess {
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
