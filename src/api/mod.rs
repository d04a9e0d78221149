//! How callers reach the service: Lambda events in, answers and problems out. Decides nothing.

pub mod action;
pub mod answer;
pub mod callback;
mod failure;
pub mod invocation;
pub mod keeper;
pub mod preauthcode;
pub mod push_event;
pub mod request;

pub use answer::FunctionError;
pub use invocation::Invocation;
