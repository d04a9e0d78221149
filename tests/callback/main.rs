//! The callback's handler with everything behind it in memory: what it answers, keeps and forwards.

mod age;
mod answers;
mod deadlines;
mod failures;
mod harness;
mod keys;
mod races;
mod refusals;
#[path = "../support/mod.rs"]
mod support;
mod wechatpy;
