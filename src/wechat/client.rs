//! The client for WeChat's component API and the two calls that a code needs: `api_component_token` and
//! `api_create_preauthcode`. One call is one attempt. `platform` decides about further attempts.
//!
//! Sources: <https://developers.weixin.qq.com/doc/oplatform/openApi/ticket-token/api_getcomponentaccesstoken.html>,
//! <https://developers.weixin.qq.com/doc/oplatform/openApi/ticket-token/api_getpreauthcode.html>.

use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::answer::{seconds, secret};
use super::endpoint::Endpoint;
use super::error::CallError;
use super::hosts::{ApiHosts, Hosts};
use super::http::{Transport, post};

/// The name of the token's query parameter. The current documentation says `access_token`; the old one
/// said `component_access_token`, which WeChat still accepts.
const TOKEN_PARAMETER: &str = "access_token";

/// The answer of `api_component_token`.
#[derive(Debug, Clone, Deserialize)]
pub struct ComponentToken {
    /// The component access token.
    #[serde(rename = "component_access_token", deserialize_with = "secret")]
    pub value: SecretString,
    /// Its life in seconds, as WeChat says: 7200 in practice.
    #[serde(deserialize_with = "seconds")]
    pub expires_in: i64,
}

/// The answer of `api_create_preauthcode`.
#[derive(Debug, Clone, Deserialize)]
pub struct PreAuthCode {
    /// The pre-authorization code.
    #[serde(rename = "pre_auth_code", deserialize_with = "secret")]
    pub value: SecretString,
    /// Its life in seconds, as WeChat says: 1800 in practice; the documentation also shows 600.
    #[serde(deserialize_with = "seconds")]
    pub expires_in: i64,
}

/// The client. It holds no secret and is cheap to share behind a reference.
#[derive(Debug)]
pub struct Client {
    pub(super) transport: Arc<dyn Transport>,
    pub(super) hosts: Hosts,
}

impl Client {
    /// A client for these hosts.
    pub fn new(transport: impl Transport + 'static, hosts: ApiHosts) -> Self {
        Self { transport: Arc::new(transport), hosts: Hosts::new(hosts) }
    }

    /// Mints a component access token from the verify ticket. **WeChat refuses the token that was valid
    /// before about five minutes later.**
    ///
    /// # Errors
    /// A refusal, or no usable answer within `timeout`.
    pub async fn component_token(
        &self,
        component_appid: &str,
        component_appsecret: &SecretString,
        component_verify_ticket: &SecretString,
        timeout: Duration,
    ) -> Result<ComponentToken, CallError> {
        let (secret, ticket) = (component_appsecret.expose_secret(), component_verify_ticket.expose_secret());
        let body = json!({
            "component_appid": component_appid,
            "component_appsecret": secret,
            "component_verify_ticket": ticket,
        });
        self.call(Endpoint::ComponentToken, None, &body, &[secret, ticket], timeout).await
    }

    /// Creates a pre-authorization code. Every call makes a new one; earlier ones stay valid.
    ///
    /// # Errors
    /// A refusal, or no usable answer within `timeout`.
    pub async fn create_preauthcode(
        &self,
        component_appid: &str,
        token: &SecretString,
        timeout: Duration,
    ) -> Result<PreAuthCode, CallError> {
        let body = json!({ "component_appid": component_appid });
        self.call(Endpoint::CreatePreAuthCode, Some(token), &body, &[], timeout).await
    }

    /// Opens a connection to the preferred host before the first call needs it. The answer does not
    /// matter.
    pub async fn preconnect(&self, timeout: Duration) {
        let url = self.hosts.pick().origin.clone();
        let _unconnected = tokio::time::timeout(timeout, self.transport.head(url)).await;
    }

    /// One attempt on the host that is preferred at the moment.
    pub(super) async fn call<T: DeserializeOwned>(
        &self,
        endpoint: Endpoint,
        token: Option<&SecretString>,
        body: &Value,
        secrets: &[&str],
        timeout: Duration,
    ) -> Result<T, CallError> {
        let host = self.hosts.pick();
        let mut url = host.origin.clone();
        url.set_path(endpoint.path());
        let mut secrets = secrets.to_vec();
        if let Some(token) = token {
            url.query_pairs_mut().append_pair(TOKEN_PARAMETER, token.expose_secret());
            secrets.push(token.expose_secret());
        }
        let answer = post(&*self.transport, endpoint, url, body, &secrets, timeout).await;
        if matches!(answer, Err(CallError::Transport(_))) {
            host.cool_down();
        }
        answer
    }
}
