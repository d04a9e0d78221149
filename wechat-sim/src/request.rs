//! One request: what arrived, and what was answered.

use std::net::IpAddr;

use serde::Serialize;

use crate::Endpoint;

/// A request and its answer. The log holds it from its arrival; its answer is added when it is over.
#[derive(Clone, Debug, Serialize)]
pub struct SimRequest {
    /// The call or page.
    pub api: Endpoint,
    /// The HTTP method.
    pub method: String,
    /// The path.
    pub path: String,
    /// The query as it was sent, without `?`.
    pub query: String,
    /// The body as text.
    pub body: String,
    /// The request's Content-Type; empty if there was none.
    pub content_type: String,
    /// The request's Referer; empty if there was none.
    pub referer: String,
    /// The request's User-Agent; empty if there was none.
    pub user_agent: String,
    /// The caller's address.
    pub client_ip: IpAddr,
    /// When the request arrived, in Unix seconds by the simulator's clock.
    pub at: u64,
    /// The HTTP status; 0 while there is no answer.
    pub status: u16,
    /// The answer's body; empty while there is none. It is kept also when the answer did not reach the
    /// caller.
    pub answer: String,
    /// Whether the whole answer was sent.
    pub delivered: bool,
    /// The injected fault that applied to this request, as JSON.
    pub fault: Option<String>,
    /// The errcode of the answer, if it has one.
    pub errcode: Option<i64>,
    /// The rid of the error answer, if it is one.
    #[serde(skip)]
    pub(crate) rid: Option<String>,
}

impl SimRequest {
    /// The first value of a query parameter, decoded.
    #[must_use]
    pub fn query_value(&self, name: &str) -> Option<String> {
        form_value(&self.query, name)
    }

    /// The body as JSON.
    #[must_use]
    pub fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_str(&self.body).ok()
    }
}

/// The first value of `name` in a query or in a form, decoded.
pub(crate) fn form_value(encoded: &str, name: &str) -> Option<String> {
    form_values(encoded, name).next()
}

/// Every value of `name` in a query or in a form, decoded.
pub(crate) fn form_values(encoded: &str, name: &str) -> impl Iterator<Item = String> {
    let pairs = url::form_urlencoded::parse(encoded.as_bytes());
    pairs.filter(move |(key, _)| key == name).map(|(_, value)| value.into_owned())
}
