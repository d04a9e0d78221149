//! The `callback` function: receives WeChat's pushes, stores tickets and forwards events.

use std::time::Instant;

use wechat_preauth::api::callback::CallbackHandler;
use wechat_preauth::config::CallbackConfig;
use wechat_preauth::{start, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), start::StartError> {
    let started = Instant::now();
    telemetry::log::start();
    let config = CallbackConfig::from_env()?;
    let services = start::callback::services(&config)?;
    start::callback::warm_up(&services).await;
    let handler = CallbackHandler::new(services, started.elapsed());
    Ok(lambda_http::run(lambda_http::service_fn(move |request| handler.clone().handle(request))).await?)
}
