//! The `authorize` function: makes authorization links for owners, and shows merchants the pages that these lead to.
//! `merchant` has the pages.
//!
//! The function holds no secret and never calls WeChat.

use std::sync::Arc;

use lambda_http::request::RequestContext;
use lambda_http::{Body, Request, RequestExt as _, Response};

use super::handler::{Environment, Invocation, route};
use super::link_request;
use super::merchant::Merchant;
use super::pages::Site;
use super::response::{FunctionError, json_response, problem_response};
use crate::platform::links::check::check_pages;
use crate::platform::links::{CreatedLink, LinkServices, create_link};
use crate::platform::{Check, CheckStatus, Result};
use crate::telemetry::metric;

/// The owners' route. IAM guards it.
const LINKS: &str = "/authorization-links";
const LINKS_METHODS: &str = "POST";

/// The function's handler, one for each execution environment.
pub struct AuthorizeHandler {
    environment: Environment,
    services: LinkServices,
    merchant: Arc<Merchant>,
}

/// What an owner asked for.
enum Owned {
    Created(CreatedLink, Option<String>),
    Checked(Check),
}

impl AuthorizeHandler {
    /// Creates the handler from these services.
    pub fn new(services: LinkServices, site: Site) -> Arc<Self> {
        let environment = Environment::new(services.metrics.clone());
        let merchant = Arc::new(Merchant::new(services.clone(), site));
        Arc::new(Self { environment, services, merchant })
    }

    /// Answers one event. Over HTTP every failure is an answer; on direct invocation it is an error.
    ///
    /// # Errors
    /// On direct invocation, when no link could be made.
    pub async fn handle(
        self: Arc<Self>,
        request: Request,
    ) -> std::result::Result<Response<Body>, FunctionError> {
        let invocation = self.environment.begin_request(&request);
        if invocation.direct || is_owners_route(&request) {
            return self.owner(request, &invocation).await;
        }
        Ok(self.merchant.clone().answer(request, &invocation).await)
    }

    /// Answers an owner in JSON.
    async fn owner(
        self: Arc<Self>,
        request: Request,
        invocation: &Invocation,
    ) -> std::result::Result<Response<Body>, FunctionError> {
        let (function, direct) = (self.clone(), invocation.direct);
        let work = async move {
            if direct && link_request::asks_for_check(request.body().as_ref()) {
                return Ok(Owned::Checked(check_pages(&function.services).await));
            }
            if !direct {
                route(&request, LINKS, LINKS_METHODS)?;
            }
            let asked = link_request::parse(request.body().as_ref())?;
            let reference = asked.reference.clone();
            create_link(&function.services, asked).await.map(|link| Owned::Created(link, reference))
        };
        let log = |result: &Result<Owned>| match result {
            Ok(Owned::Created(link, reference)) => {
                self.services.metrics.count(metric::LINK_CREATED);
                let CreatedLink { link_id, expires_at, .. } = link;
                tracing::info!(link_id, expires_at, reference, "made an authorization link");
            }
            Ok(Owned::Checked(check)) => {
                let ok = check.status == CheckStatus::Ok;
                tracing::info!(ok, detail = check.detail, "checked the pages");
            }
            Err(problem) => invocation.failed(problem, "no authorization link was made", false),
        };
        match invocation.run(work, log).await {
            Ok(Owned::Created(link, _)) => Ok(json_response(&link)),
            Ok(Owned::Checked(check)) => Ok(json_response(&check)),
            Err(problem) if direct => Err(FunctionError::new(&problem, &invocation.request_id)),
            Err(problem) => Ok(problem_response(&problem, &invocation.request_id, LINKS_METHODS)),
        }
    }
}

/// Whether API Gateway has let an owner through. Only the resource tells: strangers choose the path, and the pages' API
/// passes every path on to this function.
fn is_owners_route(request: &Request) -> bool {
    match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV1(context)) => context.resource_path.as_deref() == Some(LINKS),
        _ => false,
    }
}
