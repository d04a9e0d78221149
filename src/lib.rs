//! A serverless service that hands out WeChat third-party-platform (第三方平台) pre-authorization
//! codes.
//!
//! Imports run downwards only, layer by layer: the binaries → [`start`] → [`config`] → [`api`] and [`aws`] →
//! [`operator`] → [`platform`] → [`wechat`] and [`telemetry`] → [`tls`].

// All other lints are in Cargo.toml. These two are for the library only: a test may panic.
#![warn(clippy::unwrap_used, clippy::expect_used)]

pub mod api;
#[cfg(feature = "aws")]
pub mod aws;
pub mod config;
pub mod operator;
pub mod platform;
#[cfg(feature = "aws")]
pub mod start;
pub mod telemetry;
pub mod tls;
pub mod wechat;
