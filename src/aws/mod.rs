//! The platform's traits on AWS: Secrets Manager, DynamoDB and EventBridge. Knows nothing of WeChat's API.
//!
//! | module | for |
//! |---|---|
//! | `clients` | the AWS SDK's configuration, and what its errors mean |
//! | `dynamodb`, `item` | the state in one table, and the form of its items |
//! | `secrets` | the credentials from Secrets Manager |
//! | `eventbridge` | the event bus |

pub mod clients;
pub mod dynamodb;
pub mod eventbridge;
mod item;
pub mod secrets;

pub use clients::Aws;
pub use dynamodb::DynamoDbState;
pub use eventbridge::EventBridgeBus;
pub use secrets::SecretsManagerCredentials;
