//! The `authorize` function: the merchant's pages, and the links that lead to them.

use wechat_preauth::api::authorize::AuthorizeHandler;
use wechat_preauth::config::AuthorizeConfig;
use wechat_preauth::{start, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), start::StartError> {
    telemetry::log::start();
    let config = AuthorizeConfig::from_env()?;
    let services = start::authorize::services(&config)?;
    start::authorize::warm_up(&services).await;
    let handler = AuthorizeHandler::new(services, start::authorize::site(&config));
    Ok(lambda_http::run(lambda_http::service_fn(move |request| handler.clone().handle(request))).await?)
}
