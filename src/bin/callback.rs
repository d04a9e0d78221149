//! The `callback` function: WeChat's pushes, tickets into the table and events onto the bus.

use std::time::Instant;

use wechat_preauth::api::callback::CallbackApi;
use wechat_preauth::config::CallbackConfig;
use wechat_preauth::{telemetry, wiring};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), wiring::StartError> {
    let started = Instant::now();
    telemetry::log::start();
    let config = CallbackConfig::from_env()?;
    let intake = wiring::intake(&config).await?;
    wiring::warm_up_intake(&intake).await;
    let api = CallbackApi::new(intake, started.elapsed());
    Ok(lambda_http::run(lambda_http::service_fn(move |request| api.clone().handle(request))).await?)
}
