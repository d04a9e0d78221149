//! The component's credentials.

mod cache;

pub use cache::{
    Credentials, CredentialsCache, CredentialsSource, MemoryCredentials, PushKeyText, SecretDocument,
    SecretsError,
};
