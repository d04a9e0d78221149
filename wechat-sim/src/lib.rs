//! A faithful simulator of WeChat's third-party component platform (第三方平台).
//!
//! WeChat offers no sandbox for it. This crate answers the platform's calls, pushes encrypted tickets and events,
//! shows the authorization pages, and injects faults. In a test:
//!
//! ```
//! use wechat_sim::{Endpoint, Fault, Sim, SimConfig};
//!
//! # async fn example() -> std::io::Result<()> {
//! let wechat = Sim::start(SimConfig::default()).await?;
//! wechat.inject(Fault::errcode(61004).on(Endpoint::CreatePreAuthCode).times(2));
//! // Let the service under test call `wechat.url()`, then check what arrived:
//! assert_eq!(wechat.calls(Endpoint::CreatePreAuthCode), 0);
//! wechat.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! Some of WeChat's behaviour is neither documented nor known from captured answers. The README lists what the
//! simulator does there.
//!
//! | module | for |
//! |---|---|
//! | `sim` | the handle for tests |
//! | `config`, `clock` | the configuration, and the clock that a test can move |
//! | `server`, `connection`, `gateway` | the HTTP server, one connection, and the way of every request |
//! | `endpoint`, `request`, `reply` | the calls and pages, one request, one answer |
//! | `calls` | which file answers which call |
//! | `errcode`, `errmsg` | WeChat's errcodes, and the styles of errmsg over the years |
//! | `fault` | injected faults |
//! | `state`, `issued`, `quota`, `log` | what one simulator holds: tickets, tokens, codes, quotas, requests |
//! | `authorizer` | accounts, permission sets, the rules of the pages, authorizations |
//! | `consent` | what 同意授权 and its withdrawal do |
//! | `push`, `delivery` | builds and sends pushes, on demand and by schedule |
//! | `pages` | the authorization pages |
//! | `control` | the control API under `/_sim/` |
//! | `random` | random values that look like WeChat's |

// All other lints are in the workspace's Cargo.toml. These two are here because tests may panic.
#![warn(clippy::unwrap_used, clippy::expect_used)]

mod authorizer;
mod calls;
mod clock;
mod config;
mod connection;
mod consent;
mod control;
mod delivery;
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
mod request;
mod server;
mod sim;
mod state;

pub use authorizer::{
    Account, AccountKind, Authorization, AuthorizationRules, EventOrder, IssuedAuthCode, PERMISSION_SETS,
    PermissionSet,
};
pub use clock::SimClock;
pub use config::{SimConfig, TlsFiles};
pub use endpoint::Endpoint;
pub use errcode::{ERRCODES, Errcode, errmsg_of};
pub use errmsg::ErrmsgStyle;
pub use fault::{Fault, FaultKind, Times, When};
pub use issued::CodeState;
pub use push::{
    Attempt, BuiltPush, Event, Field, Flaw, INFO_TYPES, Push, PushCrypt, PushOutcome, PushRecord, Value,
    XmlStyle, msg_signature,
};
pub use request::SimRequest;
pub use sim::Sim;
