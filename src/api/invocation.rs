//! What an invocation tells about itself: its id, and how long it may take.

use std::time::{Duration, SystemTime};

use lambda_http::{Request, RequestExt as _};
use tokio::time::Instant;

/// Time kept for the answer itself, so that it leaves before Lambda ends the invocation.
const ANSWER_RESERVE: Duration = Duration::from_millis(500);

/// The longest a request may take, whatever Lambda allows: API Gateway hangs up after 29 s.
const LONGEST: Duration = Duration::from_secs(25);

/// The time for a request outside Lambda, as in the local service and under an emulator.
const DEFAULT: Duration = Duration::from_secs(12);

/// One invocation.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// Lambda's request id; one of our own outside Lambda.
    pub request_id: String,
    /// When the work must be done.
    pub deadline: Instant,
}

impl Invocation {
    /// Reads Lambda's context from the request.
    #[must_use]
    pub fn of(request: &Request) -> Self {
        match request.lambda_context_ref() {
            Some(context) => Self::new(&context.request_id, Some(context.deadline())),
            None => Self::new("", None),
        }
    }

    /// An invocation that Lambda ends at `ends`.
    #[must_use]
    pub fn new(request_id: &str, ends: Option<SystemTime>) -> Self {
        // A runtime emulator may give a time long past: Lambda never starts what it has ended.
        let left = ends.and_then(|ends| ends.duration_since(SystemTime::now()).ok()).unwrap_or(DEFAULT);
        let request_id = match request_id {
            "" => uuid::Uuid::new_v4().to_string(),
            id => id.to_owned(),
        };
        Self { request_id, deadline: Instant::now() + left.min(LONGEST).saturating_sub(ANSWER_RESERVE) }
    }
}
