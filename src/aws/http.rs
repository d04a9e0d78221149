//! The HTTP client of the AWS SDK: reqwest, with the TLS configuration that the calls to WeChat use. The SDK's own
//! client would parse every trusted certificate once for the configuration and once more for each service.

use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;

use crate::tls::TrustRoots;

/// Opening a connection inside one region takes milliseconds.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(1000);

/// How long an idle connection is kept. AWS closes idle connections later than that. While Lambda freezes an environment
/// this clock may stand still: then the first call meets a dead connection, and the SDK repeats it.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// The client of all services.
#[derive(Debug, Clone)]
struct Reqwest(reqwest::Client);

/// The HTTP client of all AWS clients.
///
/// # Errors
/// When reqwest refuses the TLS configuration, which is a bug.
pub fn http_client(roots: &TrustRoots) -> Result<SharedHttpClient, reqwest::Error> {
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(roots.client_config())
        .http1_only()
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(POOL_IDLE_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()?;
    Ok(SharedHttpClient::new(Reqwest(client)))
}

impl HttpClient for Reqwest {
    /// Every service gets the same connector. The settings' time limits are ignored: connecting has its own above, and the
    /// SDK itself keeps those of an attempt and of a call.
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Reqwest {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.0.clone();
        HttpConnectorFuture::new(async move {
            let request = outgoing(request)?;
            let mut answer = client.execute(request).await.map_err(failed)?;
            let (status, headers) = (answer.status(), std::mem::take(answer.headers_mut()));
            let body = answer.bytes().await.map_err(failed)?;
            let mut response = http::Response::new(SdkBody::from(body));
            (*response.status_mut(), *response.headers_mut()) = (status, headers);
            HttpResponse::try_from(response).map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

fn outgoing(request: HttpRequest) -> Result<reqwest::Request, ConnectorError> {
    let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
    let (head, body) = request.into_parts();
    // No call of this service streams a body.
    let body =
        body.bytes().map(<[u8]>::to_vec).ok_or_else(|| ConnectorError::user("a streamed body".into()))?;
    reqwest::Request::try_from(http::Request::from_parts(head, body))
        .map_err(|error| ConnectorError::user(error.without_url().into()))
}

/// The SDK repeats a call after a timeout or a broken connection.
fn failed(error: reqwest::Error) -> ConnectorError {
    let error = error.without_url();
    if error.is_timeout() { ConnectorError::timeout(error.into()) } else { ConnectorError::io(error.into()) }
}
