//! A page as an HTTP answer.

use lambda_http::http::{HeaderMap, HeaderValue, StatusCode, header};
use lambda_http::{Body, Response};

use super::page::Page;
use super::site::Site;
use super::visit::Visit;
use super::{launch, outcome};

/// The policy of a redirect, which shows nothing.
const SHOWS_NOTHING: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
);

/// A page, as this visitor sees it.
pub fn response(site: &Site, visit: &Visit, page: &Page<'_>) -> Response<Body> {
    let html = match page {
        Page::Launch { id, accounts } => launch::launch(site, *visit, id, *accounts),
        Page::Handoff { id, url } => launch::handoff(site, *visit, id, url),
        _ => outcome::outcome(site, *visit, page),
    };
    // WeChat opens its page only for the platform's own host, which it reads from the Referer.
    let leads_to_wechat = matches!(page, Page::Launch { .. } | Page::Handoff { .. });
    let mut response = Response::new(Body::Text(html.into_string()));
    *response.status_mut() = StatusCode::from_u16(page.status()).unwrap_or_default();
    let headers = response.headers_mut();
    secure(headers, site.policy().clone(), if leads_to_wechat { "origin" } else { "no-referrer" });
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(visit.language.tag()));
    headers.insert(header::VARY, HeaderValue::from_static("accept-language, user-agent"));
    if let Page::Problem { retry_after: Some(seconds), .. } = page {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(*seconds));
    }
    response
}

/// A 303 to `location`, with this `Referrer-Policy`. The browser sends its Referer to `location` by this policy.
pub fn redirect(location: &str, referrer_policy: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::Empty);
    secure(response.headers_mut(), SHOWS_NOTHING, referrer_policy);
    // A URL that was parsed fits into a header.
    *response.status_mut() = match HeaderValue::from_str(location) {
        Ok(location) => {
            response.headers_mut().insert(header::LOCATION, location);
            StatusCode::SEE_OTHER
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
    };
    response
}

/// The headers of every answer: it is not stored, framed, indexed or taken for another type.
fn secure(headers: &mut HeaderMap, policy: HeaderValue, referrer_policy: &'static str) {
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static(referrer_policy));
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
