//! The built `preauthcode` binary under the Lambda runtime emulator, with moto's server for Secrets Manager and
//! DynamoDB and the simulator for WeChat, invoked with every file in `events/`.

mod events;
mod failures;
mod stack;
#[path = "../support/mod.rs"]
mod support;
