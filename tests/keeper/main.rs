//! The keeper: its answers, and how many requests it sends to WeChat, the table and Secrets Manager.

#[path = "../support/mod.rs"]
mod support;

mod address;
mod alias;
mod component;
mod deadlines;
mod diagnose;
mod diagnose_network;
mod harness;
mod minters;
mod no_table;
mod operators;
mod output;
mod put_token;
mod refresh;
mod report;
mod scenario;
mod tickets;
mod visits;
