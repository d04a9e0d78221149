//! The callback's handler with everything behind it in memory: its answers, what it stores and what it forwards.

mod age;
mod answers;
mod check;
mod deadlines;
mod failures;
mod harness;
mod keys;
mod links;
mod races;
mod refusals;
mod strangers;
#[path = "../support/mod.rs"]
mod support;
mod wechatpy;
