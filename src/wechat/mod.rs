//! WeChat's component API and its push format. Knows nothing of AWS, of Lambda or of what the
//! service decides; it turns WeChat's wire into types and back.

pub mod client;
pub mod errcode;
pub mod errmsg;
pub mod fingerprint;
pub mod http;
pub mod operations;
pub mod push;
pub mod rid;

pub use client::{ApiHosts, ApiHostsError, Client, ComponentToken, PreAuthCode};
pub use errcode::{Actor, Api, Class, Errcode};
pub use errmsg::Refusal;
pub use fingerprint::code_fingerprint;
pub use http::{CallError, TransportError};
pub use operations::{HostProbe, Quota, RateLimit};
pub use rid::RidReport;
