//! WeChat's component API and its push format. Knows nothing of AWS, of Lambda or of what the
//! service decides; it turns WeChat's wire into types and back.

pub mod client;
pub mod errcode;
pub mod fingerprint;
pub mod http;
pub mod operator_calls;
pub mod push;
pub mod refusal;
pub mod request_record;

pub use client::{ApiHosts, ApiHostsError, Client, ComponentToken, PreAuthCode};
pub use errcode::{Actor, Endpoint, Errcode, ErrcodeClass};
pub use fingerprint::code_fingerprint;
pub use http::{CallError, Transport, TransportError, TransportKind};
pub use operator_calls::{HostProbe, Quota, RateLimit};
pub use refusal::Refusal;
pub use request_record::RequestRecord;
