//! The function `authorize`: links for owners, and what a merchant meets on the way.

mod harness;
mod owners;
mod problems;
mod returns;
mod strangers;
#[path = "../support/mod.rs"]
mod support;
mod walk;
