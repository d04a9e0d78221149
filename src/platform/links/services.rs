//! What the pages need.

use std::sync::Arc;

use super::function::CodeFunction;
use super::id::LinkId;
use super::store::LinkStore;
use crate::platform::Clock;
use crate::telemetry::Metrics;
use crate::wechat::hosts::parse_origin;

/// What making a link and following it need.
#[derive(Clone)]
pub struct LinkServices {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where links are kept.
    pub links: Arc<dyn LinkStore>,
    /// The function `preauthcode`.
    pub codes: Arc<dyn CodeFunction>,
    /// The origin of all addresses.
    pub origin: PagesOrigin,
    /// Where metrics go.
    pub metrics: Metrics,
}

/// The origin of the merchant's pages: the platform's 授权发起页域名.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PagesOrigin(String);

impl PagesOrigin {
    /// Parses an origin: `https://`, or `http://` to a loopback address.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(origin: &str) -> Result<Self, String> {
        parse_origin(origin.trim()).map(|url| Self(url.origin().ascii_serialization()))
    }

    /// The origin, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address that the owner sends to the merchant.
    pub fn launch_url(&self, id: &LinkId) -> String {
        format!("{}/authorize/{}", self.0, id.as_str())
    }

    /// WeChat's `redirect_uri`: the address to which the merchant comes back.
    pub fn redirect_uri(&self, id: &LinkId) -> String {
        format!("{}/authorized/{}", self.0, id.as_str())
    }
}
