//! What is the same on every page.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lambda_http::http::HeaderValue;
use sha2::{Digest as _, Sha256};

/// The style of every page. It stands in the page, so that a page is one request.
pub(super) const STYLE: &str = include_str!("style.css");

/// The origin of the pages, and what they say of the platform. Built once.
pub struct Site {
    origin: String,
    platform_name: Option<String>,
    policy: HeaderValue,
}

impl Site {
    /// `origin` is the pages' own, such as `https://auth.example.com`. `page_origins` are those of WeChat's two pages,
    /// to which the form leads.
    pub fn new(origin: &str, platform_name: Option<&str>, page_origins: [&str; 2]) -> Self {
        let is_wechats = page_origins.iter().all(|origin| origin.ends_with(".weixin.qq.com"));
        // A browser asks for every step of a redirect, and WeChat's pages may lead on to another host of WeChat's.
        let leads_to = if is_wechats { "https://*.weixin.qq.com".to_owned() } else { page_origins.join(" ") };
        let form_action = format!("'self' {leads_to}");
        let policy = content_security_policy(STYLE, &form_action);
        Self {
            origin: origin.trim_end_matches('/').to_owned(),
            platform_name: platform_name.map(str::to_owned),
            // Without a policy that fits into a header, the page shows itself without style, and starts nothing.
            policy: HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'")),
        }
    }

    /// The address of a link's launch page, to be shown and scanned.
    pub(super) fn address(&self, id: &str) -> String {
        format!("{}/authorize/{id}", self.origin)
    }

    /// The name of the platform, if the owner has set one.
    pub(super) fn platform_name(&self) -> Option<&str> {
        self.platform_name.as_deref()
    }

    /// The content security policy of the pages.
    pub(super) const fn policy(&self) -> &HeaderValue {
        &self.policy
    }
}

/// The policy of a page with this style, whose forms lead to `form_action`. Nothing is loaded from anywhere, no script
/// runs, and no other page shows this one.
pub(super) fn content_security_policy(style: &str, form_action: &str) -> String {
    let hash = STANDARD.encode(Sha256::digest(style));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; img-src data:; form-action {form_action}; base-uri 'none'; \
         frame-ancestors 'none'"
    )
}
