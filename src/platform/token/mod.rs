//! The component access token: one for all instances, minted by one at a time, renewed before anybody
//! waits for it.
//!
//! | module | for |
//! |---|---|
//! | `rules` | the rules, as one pure function |
//! | `mint` | one mint: lease, call, stored result |
//! | `provider` | what one process remembers, and how its requests share one look at the table |

mod mint;
mod provider;
pub mod rules;

pub use provider::{ActiveToken, Role, TokenProvider};
