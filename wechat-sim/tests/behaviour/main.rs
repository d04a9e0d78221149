//! The behaviour of the simulator, tested over real TCP connections on loopback.
#![expect(clippy::unwrap_used, reason = "a panic fails the test, as it should")]

mod authorizers;
mod calls;
mod certificate;
mod cli;
mod client;
mod codes;
mod control;
mod errmsgs;
mod faults;
mod lifecycle;
mod pages;
mod push_build;
mod push_send;
mod quotas;
mod tokens;
