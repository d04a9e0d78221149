//! WeChat's API hosts: how the list is configured, and which host the next call goes to.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::Url;
use tokio::time::Instant;

/// For this long a host is not called after a failure, while there is another one.
const HOST_COOLDOWN: Duration = Duration::from_secs(60);

/// WeChat's API origins, in order of preference. There is at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiHosts(Vec<Url>);

impl ApiHosts {
    /// The nearest entry point, and the one that WeChat names for disaster recovery.
    pub const DEFAULT: &str = "https://api.weixin.qq.com,https://api2.weixin.qq.com";

    /// Parses a comma-separated list of origins: `https://`, or `http://` to a loopback address.
    ///
    /// # Errors
    /// Names the first origin that is not usable, and says why.
    pub fn parse(list: &str) -> Result<Self, String> {
        let origins = list.split(',').map(str::trim).filter(|origin| !origin.is_empty());
        let origins: Vec<Url> = origins.map(parse_origin).collect::<Result<_, _>>()?;
        if origins.is_empty() {
            return Err(format!("{list:?} names no origin"));
        }
        Ok(Self(origins))
    }
}

/// Parses one origin: `https://`, or `http://` to a loopback address.
///
/// # Errors
/// Says what is wrong with it.
pub fn parse_origin(origin: &str) -> Result<Url, String> {
    let fail = |problem| format!("{origin:?} {problem}");
    let url = Url::parse(origin).map_err(|_| fail("is not an origin such as https://api.weixin.qq.com"))?;
    if url.as_str() != format!("{}/", url.origin().ascii_serialization()) {
        return Err(fail("must be an origin only: scheme, host and port"));
    }
    let loopback = url.host_str().is_some_and(|host| {
        host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
    });
    match url.scheme() {
        "https" => Ok(url),
        "http" if loopback => Ok(url),
        "http" => Err(fail("must be https:// (http:// is only for a loopback address)")),
        _ => Err(fail("must be https://")),
    }
}

/// One host, and the time from which it may be called.
#[derive(Debug)]
pub(super) struct Host {
    pub origin: Url,
    callable_from: Mutex<Instant>,
}

impl Host {
    /// A call to the host failed: it is not called for a minute while there is another one.
    pub(super) fn cool_down(&self) {
        *self.callable_from.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now() + HOST_COOLDOWN;
    }

    fn callable_from(&self) -> Instant {
        *self.callable_from.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The hosts of one client.
#[derive(Debug)]
pub(super) struct Hosts(Vec<Host>);

impl Hosts {
    pub(super) fn new(hosts: ApiHosts) -> Self {
        let now = Instant::now();
        Self(hosts.0.into_iter().map(|origin| Host { origin, callable_from: Mutex::new(now) }).collect())
    }

    pub(super) fn all(&self) -> &[Host] {
        &self.0
    }

    /// The first host that may be called. If none may, the one that failed first.
    pub(super) fn pick(&self) -> &Host {
        let now = Instant::now();
        let earliest = self.0.iter().min_by_key(|host| host.callable_from().max(now));
        #[expect(clippy::expect_used, reason = "ApiHosts::parse refuses an empty list")]
        earliest.expect("at least one host")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_must_be_origins_and_http_is_for_loopback() {
        assert_eq!(ApiHosts::parse(ApiHosts::DEFAULT).unwrap().0.len(), 2);
        assert!(ApiHosts::parse("http://127.0.0.1:8090, http://localhost:1").is_ok());
        for (list, problem) in [
            ("", r#""" names no origin"#),
            (" , ", r#"" , " names no origin"#),
            (
                "api.weixin.qq.com",
                r#""api.weixin.qq.com" is not an origin such as https://api.weixin.qq.com"#,
            ),
            (
                "https://api.weixin.qq.com/cgi-bin",
                r#""https://api.weixin.qq.com/cgi-bin" must be an origin only: scheme, host and port"#,
            ),
            (
                "http://api.weixin.qq.com",
                r#""http://api.weixin.qq.com" must be https:// (http:// is only for a loopback address)"#,
            ),
            ("ftp://127.0.0.1", r#""ftp://127.0.0.1" must be https://"#),
        ] {
            assert_eq!(ApiHosts::parse(list).unwrap_err(), problem);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_host_is_passed_over_for_a_minute() {
        let hosts = Hosts::new(ApiHosts::parse("https://a.example,https://b.example").unwrap());
        let [a, b] = hosts.all() else { panic!("two hosts") };
        assert_eq!(hosts.pick().origin, a.origin);
        a.cool_down();
        assert_eq!(hosts.pick().origin, b.origin);
        tokio::time::advance(Duration::from_secs(30)).await;
        b.cool_down();
        assert_eq!(hosts.pick().origin, a.origin, "it failed first");
        tokio::time::advance(Duration::from_secs(90)).await;
        assert_eq!(hosts.pick().origin, a.origin, "both may be called again");
    }
}
