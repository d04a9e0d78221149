//! A faithful simulator of WeChat's third-party component platform (第三方平台).
//!
//! WeChat offers no sandbox for it. This crate speaks the platform's calls, pushes its encrypted
//! tickets and events, shows its authorization pages, and lets anything go wrong on demand.
//! In a test:
//!
//! ```
//! use wechat_sim::{Api, Fault, Sim, SimConfig};
//!
//! # async fn example() -> std::io::Result<()> {
//! let wechat = Sim::start(SimConfig::default()).await?;
//! wechat.inject(Fault::errcode(61004).on(Api::CreatePreAuthCode).times(2));
//! // … call `wechat.url()` …
//! assert_eq!(wechat.calls(Api::CreatePreAuthCode), 0);
//! wechat.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! What WeChat does not document and nobody has captured is a choice, and the README lists them.

// All other lints are in the workspace's Cargo.toml; a test may well panic.
#![warn(clippy::unwrap_used, clippy::expect_used)]

mod calls;
mod clock;
mod config;
mod control;
mod endpoint;
mod errcode;
mod errmsg;
mod fault;
mod gateway;
mod issued;
mod log;
mod pages;
mod push;
mod quota;
mod random;
mod reply;
mod server;
mod shared;
mod sim;
mod wire;

pub use clock::SimClock;
pub use config::{SimConfig, TlsFiles};
pub use endpoint::Endpoint;
pub use errcode::{ERRCODES, Errcode, errmsg_of};
pub use errmsg::ErrmsgStyle;
pub use fault::{Fault, FaultKind, Times, When};
pub use issued::CodeState;
pub use log::Recorded;
pub use push::{
    Attempt, BuiltPush, Event, Field, Flaw, INFO_TYPES, Push, PushCrypt, PushOutcome, PushRecord, Value,
    XmlStyle, msg_signature,
};
pub use sim::Sim;
