//! The `keeper` function: a fresh token before anyone waits for it, and what operators need.

use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::Value;

use wechat_preauth::api::keeper::KeeperApi;
use wechat_preauth::config::Config;
use wechat_preauth::{telemetry, wiring};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), wiring::StartError> {
    telemetry::log::start();
    let config = Config::from_env()?;
    let outside = wiring::outside(&config).await?;
    let api = KeeperApi::new(outside.clone());
    wiring::warm_up(&outside, api.tokens()).await;
    Ok(lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| api.clone().handle(event))).await?)
}
