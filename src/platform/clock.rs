//! The time, as Unix seconds: the unit of the state table and of WeChat's pushes.

use std::time::{SystemTime, UNIX_EPOCH};

/// Where the time comes from. Tests move it.
pub trait Clock: Send + Sync {
    /// Now, in Unix seconds.
    fn now(&self) -> i64;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        since.as_secs().try_into().unwrap_or(i64::MAX)
    }
}

/// The time as answers and logs print it: `2026-11-22T10:30:00Z`.
pub fn rfc3339(unix_seconds: i64) -> String {
    time::OffsetDateTime::from_unix_timestamp(unix_seconds)
        .ok()
        .and_then(|at| at.format(&time::format_description::well_known::Rfc3339).ok())
        .unwrap_or_else(|| unix_seconds.to_string())
}

#[cfg(test)]
mod tests {
    #[test]
    fn times_print_in_utc_to_the_second() {
        assert_eq!(super::rfc3339(1_795_343_400), "2026-11-22T10:30:00Z");
    }
}
