//! The addresses that browsers are sent to: `redirect_uri` and `return_url`.

use std::net::IpAddr;

use url::{ParseError, Url};

use super::problem::texts::{self, Text};
use super::problem::{Problem, Result};

/// Longest address, in bytes: all browsers and gateways accept this length.
const MAX_URL_BYTES: usize = 2048;

/// Checks an address that a browser is sent to.
///
/// # Errors
/// `Request.Invalid`, naming `field` and what is wrong with it.
pub fn check_https_url(field: &str, uri: &str) -> Result<()> {
    let wrong = |text: Text| Err(Problem::invalid(text.with(&[("field", &field)])));
    if uri.len() > MAX_URL_BYTES {
        let detail = texts::URL_LENGTH.with(&[("field", &field), ("most", &MAX_URL_BYTES)]);
        return Err(Problem::invalid(detail));
    }
    if uri.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return wrong(texts::URL_SPACE);
    }
    match uri.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") || is_loopback(uri) => {
            // The URL parser skips these and would take the first segment of the path for the host.
            if rest.starts_with(['/', '\\']) {
                return wrong(texts::URL_HOST);
            }
        }
        _ => return wrong(texts::URL_SCHEME),
    }
    let url = Url::parse(uri).map_err(|error| match error {
        ParseError::EmptyHost => Problem::invalid(texts::URL_HOST.with(&[("field", &field)])),
        _ => Problem::invalid(texts::URL_SYNTAX.with(&[("field", &field), ("error", &error)])),
    })?;
    if !url.username().is_empty() || url.password().is_some() {
        return wrong(texts::URL_USER);
    }
    // Parameters are appended to the URL. A browser sends nothing that stands after a fragment.
    if url.fragment().is_some() {
        return wrong(texts::URL_FRAGMENT);
    }
    Ok(())
}

/// Whether it is plain HTTP to this machine, as in the local service.
fn is_loopback(uri: &str) -> bool {
    Url::parse(uri).is_ok_and(|url| {
        url.scheme() == "http"
            && url.host_str().is_some_and(|host| {
                let address = host.trim_matches(['[', ']']);
                host == "localhost" || address.parse().is_ok_and(|address: IpAddr| address.is_loopback())
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_redirect_uri_is_told_what_is_wrong_with_it() {
        let long = format!("https://example.com/{}", "a".repeat(2048));
        for (redirect_uri, expected) in [
            (&*long, "redirect_uri is longer than 2048 bytes"),
            (
                "https://example.com/a b",
                "redirect_uri must not contain white space or control characters; percent-encode them",
            ),
            (
                " https://example.com/",
                "redirect_uri must not contain white space or control characters; percent-encode them",
            ),
            (
                "https://example.com/\u{7f}",
                "redirect_uri must not contain white space or control characters; percent-encode them",
            ),
            ("", "redirect_uri must be an https:// URL"),
            ("http://example.com/", "redirect_uri must be an https:// URL"),
            ("https:example.com", "redirect_uri must be an https:// URL"),
            ("example.com/a", "redirect_uri must be an https:// URL"),
            ("javascript:alert(1)", "redirect_uri must be an https:// URL"),
            ("https://", "redirect_uri has no host"),
            ("https:///path", "redirect_uri has no host"),
            ("https://?a=b", "redirect_uri has no host"),
            ("https://:443/", "redirect_uri has no host"),
            ("https://example.com:99999/", "redirect_uri is not a valid URL: invalid port number"),
            ("https://u:p@example.com/", "redirect_uri must not hold a user name or password"),
            ("https://example.com/#top", "redirect_uri must not have a #fragment"),
        ] {
            assert_eq!(
                check_https_url("redirect_uri", redirect_uri).unwrap_err().detail,
                expected,
                "{redirect_uri}"
            );
        }
        assert!(check_https_url("redirect_uri", "HTTPS://example.com/?a=%20b").is_ok());
        let problem = check_https_url("return_url", "http://example.com/").unwrap_err();
        assert_eq!(problem.detail, "return_url must be an https:// URL");
    }

    #[test]
    fn plain_http_is_for_this_machine_only() {
        for url in ["http://127.0.0.1:8080/authorized/x", "http://localhost/", "http://[::1]:1/"] {
            assert!(check_https_url("redirect_uri", url).is_ok(), "{url}");
        }
        for url in [
            "http://127.0.0.1.example.com/",
            "http://localhost@example.com/",
            "http://10.0.0.1/",
            "ftp://localhost/",
        ] {
            assert!(check_https_url("redirect_uri", url).is_err(), "{url}");
        }
    }
}
