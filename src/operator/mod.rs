//! What the keeper does: it renews the token before a caller needs it, watches the ticket, and answers
//! operators.
//!
//! | module | for |
//! |---|---|
//! | `refresh` | renews the token and watches the ticket, every minute |
//! | `ticket_watch` | asks WeChat to push tickets when none arrive |
//! | `quota` | daily quotas: shown, measured once an hour, reset |
//! | `put_token` | stores a token that was minted elsewhere, with `MINTING=off` |
//! | `address` | finds the address that WeChat sees |
//! | `explain_rid` | shows what WeChat recorded of an earlier request |
//! | `diagnosis` | checks the whole chain |
//! | `calls` | makes and repeats calls to WeChat, and logs a problem that does not end an action |

mod address;
mod calls;
mod diagnosis;
mod explain_rid;
mod put_token;
mod quota;
mod refresh;
mod ticket_watch;

use std::sync::atomic::AtomicI64;

pub use address::ProbedAddress;
pub use diagnosis::Diagnosis;
pub use explain_rid::ExplainedRid;
pub use put_token::{TokenExpiry, TokenStored};
pub use quota::{CallQuota, QuotaCleared};
pub use refresh::Refreshed;
pub use ticket_watch::{StartPush, StartPushReason};

use crate::platform::{Issuer, Role, Services, TokenProvider};

/// The keeper of one process.
pub struct Keeper {
    services: Services,
    issuer: Issuer,
    /// When it was checked last whether a new hour has begun. Once in an hour the quotas are measured.
    quotas_seen_at: AtomicI64,
}

impl Keeper {
    /// Creates the keeper from these services.
    pub fn new(services: Services) -> Self {
        let quotas_seen_at = AtomicI64::new(services.clock.now());
        Self { issuer: Issuer::new(services.clone(), Role::Keeper), services, quotas_seen_at }
    }

    /// The token, for warming up.
    pub const fn tokens(&self) -> &TokenProvider {
        self.issuer.tokens()
    }
}
