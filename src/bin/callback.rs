//! The `callback` function: WeChat's pushes, tickets into the table and events onto the bus.

use std::time::Instant;

use wechat_preauth::api::callback::CallbackHandler;
use wechat_preauth::config::CallbackConfig;
use wechat_preauth::{start, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), start::StartError> {
    let started = Instant::now();
    telemetry::log::start();
    let config = CallbackConfig::from_env()?;
    let push_services = start::push_services(&config).await?;
    start::warm_up_push(&push_services).await;
    let api = CallbackHandler::new(push_services, started.elapsed());
    Ok(lambda_http::run(lambda_http::service_fn(move |request| api.clone().handle(request))).await?)
}
