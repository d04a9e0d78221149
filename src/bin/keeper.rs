//! The `keeper` function: renews the token in time, and does what operators ask for.

use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::Value;

use wechat_preauth::api::keeper::KeeperHandler;
use wechat_preauth::config::Config;
use wechat_preauth::{start, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), start::StartError> {
    telemetry::log::start();
    let config = Config::from_env()?;
    let services = start::services(&config)?;
    let handler = KeeperHandler::new(services.clone());
    start::warm_up(&services, handler.tokens()).await;
    Ok(lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| handler.clone().handle(event)))
        .await?)
}
