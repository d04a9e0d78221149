//! Every way in which a request can fail.

#[expect(clippy::module_inception, reason = "split into code and problem")]
mod problem;

pub use problem::{Problem, ProblemCode, Result};
