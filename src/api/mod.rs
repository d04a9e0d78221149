//! How callers reach the service: Lambda events in, answers and problems out. Decides nothing.

pub mod callback;
mod fields;
mod handler;
pub mod issue_request;
pub mod keeper;
pub mod keeper_request;
pub mod preauthcode;
pub mod push_request;
pub mod response;

pub use response::FunctionError;
