//! What the simulator promises, checked over real TCP connections on loopback.
#![expect(clippy::unwrap_used, reason = "a test that panics has failed, which is what it is for")]

mod calls;
mod certificate;
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
