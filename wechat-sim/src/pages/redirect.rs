//! `redirect_uri`, and how the code is added to it.

use url::Url;

/// A host that no address has. A URL with it is on the page's own origin.
const OWN_ORIGIN: &str = "http://page.invalid";

/// Where an authorization leads.
pub(super) struct Redirect {
    /// The address for `Location`: a whole URL, or a path on the page's own origin.
    pub(super) location: String,
    /// The host that WeChat compares with the registered one.
    pub(super) host: String,
}

/// Reads `redirect_uri`; `None` if no browser can follow it.
///
/// Without a scheme, as in `shop.example.com/back`, it is a path for a browser, below that of the page.
pub(super) fn parse(redirect_uri: &str, page_path: &str, escape_ampersand: bool) -> Option<Redirect> {
    let text = if escape_ampersand { redirect_uri.replace('&', "&amp;") } else { redirect_uri.to_owned() };
    let first = text.split(['/', '?', '#']).next()?;
    let host = first.split(':').next()?;
    let is_path = !first.ends_with(':') && (!first.contains(':') || host.contains('.'));
    let base = Url::parse(OWN_ORIGIN).ok()?.join(page_path).ok()?;
    // Without `./` the name in `host:8080/back` would be a scheme.
    let relative = is_path && !first.is_empty();
    let url = base.join(&if relative { format!("./{text}") } else { text.clone() }).ok()?;
    if !matches!(url.scheme(), "http" | "https") {
        return None;
    }
    let own = url.as_str().strip_prefix(OWN_ORIGIN);
    Some(Redirect {
        host: if relative { host.to_owned() } else { url.host_str()?.to_owned() },
        location: own.unwrap_or(url.as_str()).to_owned(),
    })
}

/// Adds the code as WeChat does: at the end, so that behind a fragment it never reaches a server.
pub(super) fn with_code(location: &str, auth_code: &str, expires_in: u64) -> String {
    let separator = if location.contains('?') { '&' } else { '?' };
    format!("{location}{separator}auth_code={auth_code}&expires_in={expires_in}")
}
