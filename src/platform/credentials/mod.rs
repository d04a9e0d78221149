//! The component's credentials.
//!
//! | module | for |
//! |---|---|
//! | `document` | the operator's JSON: its fields, and what is wrong with them |
//! | `cache` | when the document is read again, and what holds meanwhile |
//! | `memory` | a document in memory: for tests and `make run` |

mod cache;
mod document;
mod memory;

pub use cache::{CredentialsCache, CredentialsSource};
pub use document::{Credentials, PushKeys, SecretDocument, SecretsError};
pub use memory::MemoryCredentials;
