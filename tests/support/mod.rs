//! Shared by the integration tests: moto's server for AWS, the Lambda runtime emulator for the binaries, and the log
//! of everything that ran.
#![allow(dead_code, reason = "each test crate uses a part of this")]

pub mod hanging;
pub mod lambda;
pub mod logs;
pub mod moto;
pub mod process;
pub mod service;
