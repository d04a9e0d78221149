//! Logs and metrics. Both are lines on standard output, which Lambda sends to CloudWatch.
//!
//! Never logged, at any level: tickets, tokens, codes, secrets, query strings, bodies.

mod line;
pub mod log;
pub mod metric;

pub use metric::Metrics;
