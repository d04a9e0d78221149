//! The platform's traits on AWS: Secrets Manager, DynamoDB and EventBridge. Knows nothing of WeChat's API.

pub mod clients;
pub mod dynamodb;
pub mod eventbridge;
mod item;
pub mod secrets;

pub use clients::Aws;
pub use dynamodb::DynamoDbState;
pub use eventbridge::EventBridgeBus;
pub use secrets::SecretsManagerCredentials;
