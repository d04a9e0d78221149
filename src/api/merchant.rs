//! A merchant's visits: the launch page, the start, and the way back from WeChat.
//!
//! The pages are public. What a visitor sends is the id of a link, a language and the parameters of WeChat's redirect;
//! an answer shows nothing about the inside of the service.

use std::sync::Arc;

use lambda_http::http::{HeaderValue, Method, header};
use lambda_http::{Body, Request, RequestExt as _, Response};
use tokio::time::Instant;

use super::handler::Invocation;
use super::pages::{self, Accounts, Device, Language, Page, Site, Trouble, Visit};
use crate::platform::links::visit::{came_back, open_link, start};
use crate::platform::links::{CameBack, Failed, Followed, LinkId, LinkServices, Redirect};
use crate::platform::{Problem, ProblemCode, Result};
use crate::telemetry::metric;

/// The merchant's part of the function.
pub(super) struct Merchant {
    services: LinkServices,
    site: Site,
}

/// A page's route.
#[derive(Clone, Copy, PartialEq, Eq)]
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

/// What a path names.
enum Target {
    Link(Route, LinkId),
    /// A link's route, but no id.
    NoLink(Route),
    Nothing,
}

/// What a visit comes to.
enum Step {
    Opened,
    /// To WeChat, by this URL.
    Started(String),
    CameBack(CameBack),
}

type Visited = std::result::Result<(Followed, Step), Failed>;

impl Merchant {
    pub(super) fn new(services: LinkServices, site: Site) -> Self {
        Self { services, site }
    }

    /// Answers with a page, or with a redirect.
    pub(super) async fn answer(self: Arc<Self>, request: Request, invocation: &Invocation) -> Response<Body> {
        let (visit, handoff, target) = (visit(&request), is_handoff(&request), Arc::new(target(&request)));
        let (function, aim, deadline) = (self.clone(), target.clone(), invocation.deadline);
        let work = async move { Ok(function.follow(&request, &aim, visit, deadline).await) };
        let log = |result: &Result<_>| log(&self.services, result, visit.device, invocation);
        let stopped = |problem: Box<Problem>| Err(Failed::from(problem));
        let visited = invocation.run(work, log).await.unwrap_or_else(stopped);
        let id = match &*target {
            Target::Link(_, id) => Some(id.as_str()),
            _ => None,
        };
        // Only a link is followed.
        let followed_id = id.unwrap_or_default();
        let page = match &visited {
            Ok((followed, Step::Opened)) => {
                // With biz_appid WeChat ignores the kind.
                let auth_type = followed.auth_type.map(u32::from);
                let accounts = if followed.one_account { Accounts::One } else { Accounts::Of(auth_type) };
                Page::Launch { id: followed_id, accounts }
            }
            Ok((_, Step::Started(url))) if handoff => Page::Handoff { id: followed_id, url },
            // WeChat's PC page checks the Referer. Nothing but the origin is in it.
            Ok((_, Step::Started(url))) => return pages::redirect(url, "origin"),
            Ok((_, Step::CameBack(CameBack::To(url)))) => return pages::redirect(url, "no-referrer"),
            Ok((_, Step::CameBack(CameBack::Done))) => Page::Authorized,
            Ok((_, Step::CameBack(CameBack::Again(back)))) => {
                Page::AlreadyAuthorized { back: back.as_deref() }
            }
            Ok((_, Step::CameBack(CameBack::NotAuthorized))) => Page::NotAuthorized { id: followed_id },
            Err(Failed { problem, followed }) => Page::Problem {
                trouble: trouble(problem.code, matches!(*target, Target::Link(Route::Return, _))),
                id,
                reference: followed.as_ref().and_then(|followed| followed.reference.as_deref()),
                request_id: &invocation.request_id,
                retry_after: problem.retry_after,
            },
        };
        let mut response = pages::response(&self.site, &visit, &page);
        if let (405, Target::Link(route, _) | Target::NoLink(route)) = (page.status(), &*target) {
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(route.methods()));
        }
        response
    }

    async fn follow(&self, request: &Request, target: &Target, visit: Visit, deadline: Instant) -> Visited {
        let services = &self.services;
        let (route, id) = match target {
            Target::Link(route, id) => (*route, Some(id)),
            Target::NoLink(route) => (*route, None),
            Target::Nothing => return Err(problem(ProblemCode::RequestNotFound).into()),
        };
        if !route.methods().split(", ").any(|method| method == request.method().as_str()) {
            return Err(problem(ProblemCode::RequestMethodNotAllowed).into());
        }
        let id = id.ok_or_else(|| problem(ProblemCode::LinkNotFound))?;
        match (route, request.method()) {
            (Route::Launch, &Method::POST) => {
                let (followed, urls) = start(services, id, deadline).await?;
                let mobile = visit.device == Device::WeChat;
                Ok((followed, Step::Started(if mobile { urls.mobile } else { urls.pc })))
            }
            (Route::Launch, _) => Ok((open_link(services, id).await?, Step::Opened)),
            (Route::Return, _) => {
                let query = request.query_string_parameters();
                let all = |name| query.all(name).unwrap_or_default();
                let redirect = Redirect { auth_code: all("auth_code"), expires_in: all("expires_in") };
                let (followed, back) = came_back(services, id, &redirect).await?;
                Ok((followed, Step::CameBack(back)))
            }
        }
    }
}

/// What a request's path names. A stage or a base path may come before it.
fn target(request: &Request) -> Target {
    let mut segments = request.raw_http_path().trim_end_matches('/').rsplit('/');
    let id = segments.next().unwrap_or_default();
    let route = match segments.next() {
        Some("authorize") => Route::Launch,
        Some("authorized") => Route::Return,
        _ => return Target::Nothing,
    };
    LinkId::parse(id).map_or(Target::NoLink(route), |id| Target::Link(route, id))
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
const fn trouble(code: ProblemCode, returning: bool) -> Trouble {
    use ProblemCode as Code;
    match code {
        Code::RequestNotFound => Trouble::NotFound,
        Code::RequestMethodNotAllowed => Trouble::MethodNotAllowed,
        Code::LinkNotFound => Trouble::LinkUnknown,
        Code::LinkExpired => Trouble::LinkEnded,
        Code::LinkExhausted => Trouble::TooManyTries,
        // The merchant has agreed already.
        _ if returning => Trouble::Unconfirmed,
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

fn log(services: &LinkServices, result: &Result<Visited>, device: Device, invocation: &Invocation) {
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
            let again = matches!(came_back, CameBack::Again(_));
            tracing::info!(authorized = new, again, "a merchant came back from WeChat");
        }
    }
}
