//! The component's credentials.
//!
//! | module | for |
//! |---|---|
//! | `document` | the operator's JSON: its fields, and what is wrong with them |
//! | `cache` | when the document is read again, and what holds meanwhile |

mod cache;
mod document;

pub use cache::{CredentialsCache, CredentialsSource, MemoryCredentials};
pub use document::{Credentials, PushKeys, SecretDocument, SecretsError};
