//! The `preauthcode` function: issues one code for each API Gateway event (REST or HTTP API, function URL) or direct
//! invocation.

use std::sync::Arc;

use lambda_http::{Body, Request, Response};
use serde_json::json;
use tokio::time::Instant;

use super::handler::{Environment, route};
use super::issue_request;
use super::response::{FunctionError, code_response, problem_response};
use crate::platform::{IssuedCode, Issuer, Result, Role, Services, TokenProvider};
use crate::telemetry::metric::{self, Unit};

const PATH: &str = "/preauthcode";
const METHODS: &str = "POST";

/// The function's handler, one for each execution environment.
pub struct PreAuthCodeHandler {
    environment: Environment,
    issuer: Issuer,
}

impl PreAuthCodeHandler {
    /// Creates the handler from these services.
    pub fn new(services: Services) -> Arc<Self> {
        Arc::new(Self {
            environment: Environment::new(services.metrics.clone()),
            issuer: Issuer::new(services, Role::Caller),
        })
    }

    /// This function's token, to be warmed up.
    pub const fn tokens(&self) -> &TokenProvider {
        self.issuer.tokens()
    }

    /// Answers one event. Over HTTP every failure is an answer; on direct invocation it is an error.
    ///
    /// # Errors
    /// On direct invocation, when no code could be issued.
    pub async fn handle(
        self: Arc<Self>,
        request: Request,
    ) -> std::result::Result<Response<Body>, FunctionError> {
        let invocation = self.environment.begin_request(&request);
        let (function, direct, deadline) = (self.clone(), invocation.direct, invocation.deadline);
        let work = async move { function.issue(&request, direct, deadline).await };
        let log = |result: &Result<IssuedCode>| match result {
            Ok(code) => self.log_issued(code),
            Err(problem) => invocation.failed(problem, "no pre-auth code was issued", false),
        };
        match invocation.run(work, log).await {
            Ok(code) => Ok(code_response(&code)),
            Err(problem) if direct => Err(FunctionError::new(&problem, &invocation.request_id)),
            Err(problem) => Ok(problem_response(&problem, &invocation.request_id, METHODS)),
        }
    }

    async fn issue(&self, request: &Request, direct: bool, deadline: Instant) -> Result<IssuedCode> {
        if !direct {
            route(request, PATH, METHODS)?;
        }
        let request = issue_request::parse(request.body().as_ref())?;
        self.issuer.issue(&request, deadline).await
    }

    fn log_issued(&self, code: &IssuedCode) {
        let component_appid = ("component_appid", json!(code.component_appid));
        self.environment.metrics.put(&[metric::CODE_ISSUED], Unit::Count, 1.0, &[component_appid]);
        tracing::info!(
            component_appid = code.component_appid,
            code_fingerprint = code.code_fingerprint,
            expires_in_s = code.expires_in,
            reference = code.reference,
            "issued a pre-auth code"
        );
    }
}
