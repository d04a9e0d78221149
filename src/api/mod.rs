//! The three functions' handlers: they read Lambda events and write answers and problems. They decide nothing else.

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
