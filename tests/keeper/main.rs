//! The keeper, by its answers and by count: what it asks WeChat, the table and Secrets Manager for, and
//! what operators get to see.

#[path = "../support/mod.rs"]
mod support;

mod diagnose;
mod harness;
mod minters;
mod operators;
mod output;
mod refresh;
mod scenario;
mod tickets;
