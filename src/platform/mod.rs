//! What the service decides: issue a code, keep the token, accept a push, build the authorization URLs.
//!
//! This layer defines the traits it needs ([`CredentialsSource`], [`TokenStore`], [`TicketStore`], [`EventBus`],
//! [`Clock`]) and knows neither Lambda nor AWS nor the HTTP client. In-memory implementations stand beside the traits.
//!
//! | module | for |
//! |---|---|
//! | `issue`, `authorization_urls`, `https_url` | one code, and WeChat's pages that use it |
//! | `token` | the component access token: rules, mint, memory |
//! | `links` | authorization links: an address of our own that leads a merchant to WeChat and back |
//! | `push` | accepts WeChat's pushes |
//! | `call`, `egress` | the attempts of one call to WeChat, and the addresses that WeChat should see |
//! | `problem` | every way in which a request can fail |
//! | `credentials` | the component's credentials |
//! | `state`, `memory` | what all instances share, and an implementation in memory |
//! | `check` | one check of a diagnosis |
//! | `bus`, `clock`, `cause` | the bus for events, the time, why a dependency failed |
//! | `services` | the services that the other modules use |

pub mod authorization_urls;
pub mod bus;
pub mod call;
pub mod cause;
pub mod check;
pub mod clock;
pub mod credentials;
pub mod egress;
pub mod https_url;
pub mod issue;
pub mod links;
pub mod memory;
pub mod problem;
pub mod push;
pub mod services;
pub mod state;
pub mod token;

pub use authorization_urls::{Authorization, AuthorizationUrls, UrlOptions, WechatPages};
pub use bus::{BusError, BusEvent, EventBus, MemoryBus};
pub use cause::Cause;
pub use check::{Check, CheckStatus};
pub use clock::{Clock, SystemClock};
pub use credentials::{
    Credentials, CredentialsCache, CredentialsSource, MemoryCredentials, PushKeys, SecretDocument,
    SecretsError,
};
pub use egress::EgressIps;
pub use issue::{IssueRequest, IssuedCode, Issuer};
pub use memory::MemoryState;
pub use problem::{Problem, ProblemCode, Result};
pub use push::{AcceptedPush, PushServices, RawPush};
pub use services::Services;
pub use state::{
    Backoff, Lease, StateError, StoredToken, Ticket, TicketItem, TicketStore, TokenItem, TokenStore,
};
pub use token::{ActiveToken, Role, TokenProvider};
