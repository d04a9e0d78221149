//! The pages that API Gateway shows without this code, when it refuses a request or cannot reach the function. They
//! stand in the template, so they hold no variable, both languages, and a short style of their own.

use maud::{DOCTYPE, PreEscaped, html};

use super::site::content_security_policy;

/// The style of these pages.
const STYLE: &str = "body{font-family:system-ui,sans-serif}";

/// What API Gateway says by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GatewayPage {
    /// 403: there is nothing at this path, or it is not for everyone.
    Refused,
    /// 429: too many requests at once.
    TooMany,
    /// 5xx: the function cannot be reached, or takes too long.
    Unavailable,
}

/// One page, with no variable of API Gateway in it.
pub fn gateway_page(page: GatewayPage) -> String {
    let html = html! { (DOCTYPE) html { head { style { (PreEscaped(STYLE)) } } body { h1 { (format!("{page:?}")) } } } };
    html.into_string()
}

/// The header `Content-Security-Policy` of these pages.
pub fn gateway_policy() -> String {
    content_security_policy(STYLE, "'none'")
}
