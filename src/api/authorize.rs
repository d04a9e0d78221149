//! The `authorize` function: makes authorization links for owners, and shows merchants the pages that these lead to.
//!
//! The pages are public. What a visitor sends is the id of a link, a language and the parameters of WeChat's redirect;
//! an answer shows nothing about the inside of the service. The function holds no secret and never calls WeChat.

use std::sync::Arc;

use lambda_http::http::{HeaderValue, Method, header};
use lambda_http::{Body, Request, RequestExt as _, Response};
use tokio::time::Instant;

use super::handler::{Environment, Invocation, route};
use super::link_request;
use super::pages::{self, Device, Language, Page, Site, Trouble, Visit};
use super::response::{FunctionError, json_response, problem_response};
use crate::platform::links::check::check_pages;
use crate::platform::links::visit::{came_back, open_link, start};
use crate::platform::links::{
    CameBack, CreatedLink, Failed, Followed, LinkId, LinkServices, Redirect, create_link,
};
use crate::platform::{Check, CheckStatus, Problem, ProblemCode, Result};
use crate::telemetry::metric;

const LINKS: &str = "/authorization-links";
const LINKS_METHODS: &str = "POST";

/// The function's handler, one for each execution environment.
pub struct AuthorizeHandler {
    environment: Environment,
    services: LinkServices,
    site: Site,
}

/// A page's route.
#[derive(Clone, Copy)]
enum Route {
    /// `/authorize/{id}`.
    Launch,
    /// `/authorized/{id}`.
    Return,
}

impl Route {
    const fn methods(self) -> &'static str {
        match self {
            // A link checker may ask by HEAD.
            Self::Launch => "GET, HEAD, POST",
            Self::Return => "GET",
        }
    }
}

/// What an owner asked for.
enum Owned {
    Created(CreatedLink, Option<String>),
    Checked(Check),
}

/// What a merchant's visit comes to.
enum Step {
    Opened,
    /// To WeChat, by this URL.
    Started(String),
    CameBack(CameBack),
}

impl AuthorizeHandler {
    /// Creates the handler from these services.
    pub fn new(services: LinkServices, site: Site) -> Arc<Self> {
        Arc::new(Self { environment: Environment::new(services.metrics.clone()), services, site })
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
        if invocation.direct || route(&request, LINKS, LINKS_METHODS).is_ok() {
            return self.owner(request, &invocation).await;
        }
        if request.raw_http_path().trim_end_matches('/').ends_with(LINKS) {
            // Another method.
            return self.owner(request, &invocation).await;
        }
        Ok(self.merchant(request, &invocation).await)
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

    /// Answers a merchant with a page, or with a redirect.
    async fn merchant(self: Arc<Self>, request: Request, invocation: &Invocation) -> Response<Body> {
        let visit = visit(&request);
        let handoff = is_handoff(&request);
        let target = target(&request);
        let (function, deadline) = (self.clone(), invocation.deadline);
        let work = async move { Ok(function.visit(&request, visit, deadline).await) };
        let log = |result: &Result<_>| log(&self.services, result, visit.device, invocation);
        let stopped = |problem: Box<Problem>| Err(Failed::from(problem));
        let answer = invocation.run(work, log).await.unwrap_or_else(stopped);
        let id = target.as_ref().map_or("", |(_, id)| id.as_str());
        let page = match answer {
            Ok((_, Step::Opened)) => Page::Launch { id },
            Ok((_, Step::Started(ref url))) if handoff => Page::Handoff { id, url },
            // WeChat's PC page checks the Referer. Nothing but the origin is in it.
            Ok((_, Step::Started(url))) => return pages::redirect(&url, "origin"),
            Ok((_, Step::CameBack(CameBack::To(url)))) => return pages::redirect(&url, "no-referrer"),
            Ok((_, Step::CameBack(CameBack::Done))) => Page::Authorized,
            Ok((_, Step::CameBack(CameBack::Again))) => Page::AlreadyAuthorized,
            Ok((_, Step::CameBack(CameBack::NotAuthorized))) => Page::NotAuthorized { id },
            Err(ref failed) => Page::Problem {
                trouble: trouble(failed.problem.code),
                id: target.as_ref().filter(|_| failed.followed.is_some()).map(|(_, id)| id.as_str()),
                reference: failed.followed.as_ref().and_then(|followed| followed.reference.as_deref()),
                request_id: &invocation.request_id,
                retry_after: failed.problem.retry_after,
            },
        };
        let mut response = pages::response(&self.site, &visit, &page);
        if let (405, Some((route, _))) = (page.status(), &target) {
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(route.methods()));
        }
        response
    }

    async fn visit(
        &self,
        request: &Request,
        visit: Visit,
        deadline: Instant,
    ) -> std::result::Result<(Followed, Step), Failed> {
        let services = &self.services;
        let (route, text) = target(request).ok_or_else(|| problem(ProblemCode::RequestNotFound))?;
        if !route.methods().split(", ").any(|method| method == request.method().as_str()) {
            return Err(problem(ProblemCode::RequestMethodNotAllowed).into());
        }
        let id = LinkId::parse(&text).ok_or_else(|| problem(ProblemCode::LinkNotFound))?;
        match (route, request.method()) {
            (Route::Launch, &Method::POST) => {
                let (followed, urls) = start(services, &id, deadline).await?;
                let mobile = visit.device == Device::WeChat;
                Ok((followed, Step::Started(if mobile { urls.mobile } else { urls.pc })))
            }
            (Route::Launch, _) => Ok((open_link(services, &id).await?, Step::Opened)),
            (Route::Return, _) => {
                let query = request.query_string_parameters();
                let all = |name| query.all(name).unwrap_or_default();
                let redirect = Redirect { auth_code: all("auth_code"), expires_in: all("expires_in") };
                let (followed, back) = came_back(services, &id, &redirect).await?;
                Ok((followed, Step::CameBack(back)))
            }
        }
    }
}

/// The route and the id in a request's path. A stage or a base path may come before them.
fn target(request: &Request) -> Option<(Route, String)> {
    let mut segments = request.raw_http_path().trim_end_matches('/').rsplit('/');
    let id = segments.next()?.to_owned();
    match segments.next()? {
        "authorize" => Some((Route::Launch, id)),
        "authorized" => Some((Route::Return, id)),
        _ => None,
    }
}

fn visit(request: &Request) -> Visit {
    let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    let query = request.query_string_parameters();
    Visit {
        language: Language::of(header(header::ACCEPT_LANGUAGE), query.first("lang")),
        device: Device::of(header(header::USER_AGENT)),
    }
}

/// Whether the visitor is to get a direct link to WeChat instead of a redirect.
fn is_handoff(request: &Request) -> bool {
    request.query_string_parameters().first("handoff") == Some("link")
}

fn problem(code: ProblemCode) -> Box<Problem> {
    Problem::new(code, code.title())
}

/// What a merchant is told of a problem.
const fn trouble(code: ProblemCode) -> Trouble {
    use ProblemCode as Code;
    match code {
        Code::RequestNotFound => Trouble::NotFound,
        Code::RequestMethodNotAllowed => Trouble::MethodNotAllowed,
        Code::LinkNotFound => Trouble::LinkUnknown,
        Code::LinkExpired => Trouble::LinkEnded,
        Code::LinkExhausted => Trouble::TooManyTries,
        Code::WeChatRateLimited | Code::WeChatDailyQuotaExhausted => Trouble::Quota,
        Code::TicketMissing | Code::TicketRejected => Trouble::NoTicket,
        Code::ConfigEgressIpNotRegistered
        | Code::ConfigAppIdRejected
        | Code::ConfigAppSecretRejected
        | Code::SecretsInvalid
        | Code::TokenMissing
        | Code::WeChatUnauthorized
        | Code::WeChatError => Trouble::Setup,
        code if code.retryable() => Trouble::Busy,
        _ => Trouble::Internal,
    }
}

/// Whether anyone who has a link, or guesses at one, can cause this without a fault of the service.
const fn anyone_can_cause(code: ProblemCode) -> bool {
    use ProblemCode::{LinkExhausted, LinkExpired, LinkNotFound, RequestMethodNotAllowed, RequestNotFound};
    matches!(code, RequestNotFound | RequestMethodNotAllowed | LinkNotFound | LinkExpired | LinkExhausted)
}

fn log(
    services: &LinkServices,
    result: &Result<std::result::Result<(Followed, Step), Failed>>,
    device: Device,
    invocation: &Invocation,
) {
    // Fields of the span, so that they are on every line below.
    let name = |followed: &Followed| {
        let span = tracing::Span::current();
        span.record("link_id", &followed.link_id).record("reference", followed.reference.as_deref());
    };
    let step = match result {
        Ok(Ok((followed, step))) => {
            name(followed);
            step
        }
        Ok(Err(Failed { problem, followed })) => {
            followed.iter().for_each(name);
            return invocation.failed(problem, "a merchant was not served", anyone_can_cause(problem.code));
        }
        Err(problem) => return invocation.failed(problem, "a merchant was not served", false),
    };
    match step {
        Step::Opened => tracing::info!(?device, "a merchant opened a link"),
        Step::Started(_) => {
            services.metrics.count(metric::AUTHORIZATION_STARTED);
            tracing::info!(?device, "a merchant went to WeChat");
        }
        Step::CameBack(came_back) => {
            let new = matches!(came_back, CameBack::To(_) | CameBack::Done);
            if new {
                services.metrics.count(metric::AUTHORIZATION_RETURNED);
            }
            let again = *came_back == CameBack::Again;
            tracing::info!(authorized = new, again, "a merchant came back from WeChat");
        }
    }
}
