//! The credentials from AWS Secrets Manager: one secret, read with its current version.

use async_trait::async_trait;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::SdkError;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;

use super::clients::describe;
use crate::platform::{CredentialsSource, SecretDocument, SecretsError};

/// The stage that holds the operator's last word.
const CURRENT: &str = "AWSCURRENT";

/// One secret in Secrets Manager.
pub struct SecretsManagerCredentials {
    client: Client,
    secret_id: String,
}

impl SecretsManagerCredentials {
    /// The secret with this name or ARN.
    #[must_use]
    pub const fn new(client: Client, secret_id: String) -> Self {
        Self { client, secret_id }
    }
}

#[async_trait]
impl CredentialsSource for SecretsManagerCredentials {
    async fn fetch(&self) -> Result<SecretDocument, SecretsError> {
        let request = self.client.get_secret_value().secret_id(&self.secret_id).version_stage(CURRENT);
        let secret = request.send().await.map_err(|error| self.error(&error))?;
        let Some(json) = secret.secret_string else {
            return Err(SecretsError::Invalid(
                "the credentials secret is binary: it must be JSON text".into(),
            ));
        };
        Ok(SecretDocument { json: json.into(), version: secret.version_id.unwrap_or_default() })
    }
}

impl SecretsManagerCredentials {
    fn error(&self, error: &SdkError<GetSecretValueError>) -> SecretsError {
        let what = describe(error);
        let invalid = |what: String| SecretsError::Invalid(format!("the credentials secret {what}"));
        match what.as_str() {
            "ResourceNotFoundException" => invalid(format!(
                "{} does not exist, or has not been filled yet (no {CURRENT} version)",
                self.secret_id
            )),
            "AccessDeniedException" => {
                invalid(format!("{} may not be read by this function's role", self.secret_id))
            }
            "InvalidRequestException"
            | "InvalidParameterException"
            | "DecryptionFailure"
            | "ValidationException" => invalid(format!("{} cannot be read: {what}", self.secret_id)),
            _ => SecretsError::Unavailable(what),
        }
    }
}
