//! The credentials from AWS Secrets Manager: one secret, read with its current version.

use async_trait::async_trait;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;

use super::clients::cause;
use crate::platform::{CredentialsSource, SecretDocument, SecretsError};

/// The stage of the newest version.
const CURRENT: &str = "AWSCURRENT";

/// One secret in Secrets Manager.
pub struct SecretsManagerCredentials {
    client: Client,
    secret_id: String,
}

impl SecretsManagerCredentials {
    /// The secret with this name or ARN.
    pub const fn new(client: Client, secret_id: String) -> Self {
        Self { client, secret_id }
    }
}

#[async_trait]
impl CredentialsSource for SecretsManagerCredentials {
    async fn fetch(&self) -> Result<SecretDocument, SecretsError> {
        let request = self.client.get_secret_value().secret_id(&self.secret_id).version_stage(CURRENT);
        let secret = request.send().await.map_err(|error| self.error(error))?;
        let Some(json) = secret.secret_string else {
            return Err(SecretsError::Invalid("is binary: it must be JSON text".into()));
        };
        Ok(SecretDocument { json: json.into(), version: secret.version_id.unwrap_or_default() })
    }
}

impl SecretsManagerCredentials {
    fn error(&self, error: SdkError<GetSecretValueError>) -> SecretsError {
        let id = &self.secret_id;
        SecretsError::Invalid(match error.code() {
            Some("ResourceNotFoundException") => {
                format!("{id} does not exist, or has not been filled yet (no {CURRENT} version)")
            }
            Some("AccessDeniedException") => format!("{id} may not be read by this function's role"),
            Some(
                code @ ("InvalidRequestException"
                | "InvalidParameterException"
                | "DecryptionFailure"
                | "ValidationException"),
            ) => format!("{id} cannot be read: {code}"),
            _ => return SecretsError::Unavailable(cause(error)),
        })
    }
}
