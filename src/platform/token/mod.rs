//! The component access token: one for all instances, minted by one at a time, renewed before anybody
//! waits for it.
//!
//! | module | for |
//! |---|---|
//! | `rules` | the rules, as pure functions |
//! | `mint` | one mint: lease, call, and in `mint_result` what is stored of it |
//! | `resolve` | one request's way to a token: read the item, do what the rules say, wait |
//! | `memory` | the newest token that one process has seen |
//! | `call` | a call to WeChat with the token, which is replaced when WeChat refuses it |
//! | `provider` | the token of one process, whose requests share one look at the table |

mod call;
mod memory;
mod mint;
mod mint_result;
mod provider;
mod resolve;
pub mod rules;

pub use call::CallFailure;
pub use memory::ActiveToken;
pub use provider::TokenProvider;
pub use rules::Role;
