//! The `preauthcode` function: one pre-authorization code for each request.

use wechat_preauth::api::preauthcode::PreAuthCodeApi;
use wechat_preauth::config::Config;
use wechat_preauth::{telemetry, wiring};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), wiring::StartError> {
    telemetry::log::start();
    let config = Config::from_env()?;
    let outside = wiring::outside(&config).await?;
    let api = PreAuthCodeApi::new(outside.clone());
    wiring::warm_up(&outside, api.tokens()).await;
    Ok(lambda_http::run(lambda_http::service_fn(move |request| api.clone().handle(request))).await?)
}
