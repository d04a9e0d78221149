//! The `keeper` function: a fresh token before anyone waits for it, and what operators need.

use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::Value;

use wechat_preauth::api::keeper::KeeperHandler;
use wechat_preauth::config::Config;
use wechat_preauth::{start, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), start::StartError> {
    telemetry::log::start();
    let config = Config::from_env()?;
    let services = start::services(&config).await?;
    let api = KeeperHandler::new(services.clone());
    start::warm_up(&services, api.tokens()).await;
    Ok(lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| api.clone().handle(event))).await?)
}
