//! A serverless service that hands out WeChat third-party-platform (第三方平台) pre-authorization
//! codes.
//!
//! Imports run downwards only, floor by floor: `bin` (with [`config`] and [`start`]) → [`api`] and
//! [`aws`], side by side → [`platform`] → [`wechat`] and [`telemetry`], on [`trust`].

// All other lints are in Cargo.toml; these two are for the library alone, since a test may well panic.
#![warn(clippy::unwrap_used, clippy::expect_used)]

pub mod api;
pub mod aws;
pub mod config;
pub mod operator;
pub mod platform;
pub mod start;
pub mod telemetry;
pub mod tls;
pub mod wechat;
