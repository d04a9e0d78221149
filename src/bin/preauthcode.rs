//! The `preauthcode` function: issues one pre-authorization code for each request.

use wechat_preauth::api::preauthcode::PreAuthCodeHandler;
use wechat_preauth::config::Config;
use wechat_preauth::{start, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), start::StartError> {
    telemetry::log::start();
    let config = Config::from_env()?;
    let services = start::services(&config)?;
    let handler = PreAuthCodeHandler::new(services.clone());
    start::warm_up(&services, handler.tokens()).await;
    Ok(lambda_http::run(lambda_http::service_fn(move |request| handler.clone().handle(request))).await?)
}
