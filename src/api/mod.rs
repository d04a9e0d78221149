//! How callers reach the service: Lambda events in, answers and problems out. Decides nothing.

pub mod callback;
mod failure;
pub mod invocation;
pub mod issue_request;
pub mod keeper;
pub mod keeper_request;
pub mod preauthcode;
pub mod push_request;
pub mod response;

pub use invocation::Invocation;
pub use response::FunctionError;
