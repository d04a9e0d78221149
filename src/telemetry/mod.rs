//! Logs and metrics, both as lines on standard output: Lambda carries them to CloudWatch.
//!
//! Never logged, at any level: tickets, tokens, codes, secrets, query strings, bodies.

mod line;
pub mod log;
pub mod metric;

pub use metric::Metrics;
