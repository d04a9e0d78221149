//! The platform's traits on AWS: Secrets Manager, DynamoDB, EventBridge and Lambda. Knows nothing of WeChat's API.
//!
//! | module | for |
//! |---|---|
//! | `clients`, `environment`, `http` | the AWS SDK's configuration and HTTP client, and what its errors mean |
//! | `dynamodb`, `item` | the state in one table, and the form of its items |
//! | `links` | authorization links in the same table |
//! | `secrets` | the credentials from Secrets Manager |
//! | `eventbridge` | the event bus |
//! | `functions` | the function `preauthcode`, invoked |

pub mod clients;
pub mod dynamodb;
mod environment;
pub mod eventbridge;
pub mod functions;
pub mod http;
mod item;
mod links;
pub mod secrets;

pub use clients::Aws;
pub use dynamodb::DynamoDbState;
pub use eventbridge::EventBridgeBus;
pub use functions::LambdaFunction;
pub use secrets::SecretsManagerCredentials;
