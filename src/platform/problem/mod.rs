//! Every way in which a request can fail.
//!
//! | module | for |
//! |---|---|
//! | `code` | the stable names that callers match on |
//! | `problem` | what a caller sees of a failure, and how WeChat's answers become one |
//! | `from_errors` | how the errors of the platform's own parts become problems |
//! | `texts` | titles, details and remedies, one row for each text |

pub mod code;
mod from_errors;
#[expect(clippy::module_inception, reason = "the type, beside its names and texts")]
mod problem;
pub(crate) mod texts;

pub use code::ProblemCode;
pub use problem::{Problem, Result};
