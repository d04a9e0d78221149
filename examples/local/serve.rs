//! HTTP on loopback instead of API Gateway: each request is passed to a function as Lambda would pass it.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use lambda_http::aws_lambda_events::apigw::ApiGatewayProxyRequestContext;
use lambda_http::request::RequestContext;
use lambda_http::{Body, Request, RequestExt as _, Response};
use lambda_runtime::{Context, LambdaEvent};
use serde_json::Value;
use tokio::net::TcpListener;
use wechat_preauth::platform::StateError;

use crate::Error;
use crate::stack::Parts;

/// Where the service listens, unless the port is taken.
const SERVICE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// Where owners make links.
const LINKS: &str = "/authorization-links";

/// Largest body, in bytes. API Gateway's limit is higher, the functions' own limits are lower.
const MAX_BODY_BYTES: usize = 1024 * 1024;

/// Any free port of this machine.
pub const ANY_PORT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// Takes the service's port; if it is taken, or with `any`, a free one. The origin to call is known before anything is
/// served.
pub async fn bind(any: bool) -> Result<(TcpListener, String), Error> {
    let wanted = if any { ANY_PORT } else { SERVICE };
    let listener = match TcpListener::bind(wanted).await {
        Err(error) if error.kind() == ErrorKind::AddrInUse => TcpListener::bind(ANY_PORT).await?,
        bound => bound?,
    };
    let origin = format!("http://{}", listener.local_addr()?);
    Ok((listener, origin))
}

/// Serves until the process ends.
pub fn start(listener: TcpListener, parts: Arc<Parts>) {
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let parts = parts.clone();
            let service = service_fn(move |request| serve(parts.clone(), request));
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            tokio::spawn(async move {
                // A client that closes its connection is no failure.
                drop(connection.await);
            });
        }
    });
}

async fn serve(
    parts: Arc<Parts>,
    request: hyper::Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let Ok(body) = Limited::new(body, MAX_BODY_BYTES).collect().await else {
        return Ok(plain(413, "the request is too large\n"));
    };
    let path = head.uri.path().to_owned();
    let query = url::form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes());
    let mut parameters: HashMap<String, Vec<String>> = HashMap::new();
    for (name, value) in query.into_owned() {
        parameters.entry(name).or_default().push(value);
    }
    let request = Request::from_parts(head, Body::Binary(body.to_bytes().into()))
        .with_raw_http_path(&path)
        .with_query_string_parameters(parameters);
    let answered = match path.as_str() {
        "/sim/stop" => {
            parts.wechat.stop().await;
            return Ok(plain(200, "WeChat is down\n"));
        }
        "/sim/start" => match parts.wechat.resume().await {
            Ok(()) => return Ok(plain(200, "WeChat is up again\n")),
            Err(error) => return Ok(plain(500, &format!("{error}\n"))),
        },
        "/sim/table-down" => {
            parts.links.fail(Some(StateError("it was told to fail".into())));
            return Ok(plain(200, "the table of links is down\n"));
        }
        "/sim/table-up" => {
            parts.links.fail(None);
            return Ok(plain(200, "the table of links is up again\n"));
        }
        "/keeper" => return Ok(keeper(&parts, request.body().as_ref()).await),
        "/diagnose" => return Ok(keeper(&parts, br#"{"action":"diagnose"}"#).await),
        "/wechat/callback" => parts.callback.clone().handle(request).await,
        path if is_of_pages(path) => {
            // As API Gateway names the resource of an event: only the owners' route has one of its own.
            let resource = if path == LINKS { LINKS } else { "/{proxy+}" };
            let mut context = ApiGatewayProxyRequestContext::default();
            context.resource_path = Some(resource.into());
            let request = request.with_request_context(RequestContext::ApiGatewayV1(context));
            parts.authorize.clone().handle(request).await
        }
        _ => parts.preauthcode.clone().handle(request).await,
    };
    Ok(match answered {
        Ok(response) => response.map(|body| Full::from(body.to_vec())),
        // Not reached: over HTTP every failure is an answer.
        Err(error) => plain(500, &error.message),
    })
}

fn is_of_pages(path: &str) -> bool {
    let first = path.split('/').nth(1).unwrap_or_default();
    matches!(first, "authorization-links" | "authorize" | "authorized")
}

/// An operator's invocation. The answer is the one that Lambda would return, or the text of a report.
async fn keeper(parts: &Parts, event: &[u8]) -> Response<Full<Bytes>> {
    let Ok(event) = serde_json::from_slice::<Value>(event) else {
        return plain(400, "the keeper takes JSON\n");
    };
    match parts.keeper.clone().handle(LambdaEvent::new(event, Context::default())).await {
        Ok(Value::Object(answer)) if answer.contains_key("links") => {
            plain(200, answer["text"].as_str().unwrap_or_default())
        }
        Ok(answer) => plain(200, &format!("{answer:#}\n")),
        Err(error) => plain(500, &format!("{}\n", error.message)),
    }
}

fn plain(status: u16, text: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(text.to_owned()));
    *response.status_mut() = status.try_into().unwrap_or_default();
    response
}
