//! WeChat's component API and its push format. This layer reads what WeChat sends and writes what WeChat
//! expects. It does not depend on AWS, on Lambda or on the service's decisions.
//!
//! | module | for |
//! |---|---|
//! | `endpoint` | the calls: path and name |
//! | `client` | the two calls that a code needs |
//! | `operator_calls`, `request_record` | the calls that the keeper makes for its schedule and for operators |
//! | `http`, `answer`, `hosts` | one request, how its answer is read, which host gets it |
//! | `errcode`, `refusal`, `error` | what WeChat's errcodes mean, a refused call, a failed call |
//! | `ids`, `fingerprint` | the form of identifiers, the name of a code in logs |
//! | `push` | what WeChat sends to the callback URL |

mod answer;
mod client;
mod endpoint;
pub mod errcode;
mod error;
pub(crate) mod fingerprint;
pub mod hosts;
pub mod http;
pub mod ids;
mod operator_calls;
pub mod push;
mod refusal;
mod request_record;

pub use client::{Client, ComponentToken, PreAuthCode};
pub use endpoint::Endpoint;
pub use errcode::{ERRCODES, ErrcodeClass, Meaning};
pub use error::{CallError, TransportError, TransportKind};
pub use fingerprint::code_fingerprint;
pub use hosts::ApiHosts;
pub use http::{Transport, http_client};
pub use operator_calls::{HostProbe, Quota, RateLimit};
pub use refusal::Refusal;
pub use request_record::RequestRecord;
