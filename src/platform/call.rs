//! The attempts of one call to WeChat: how many, how long each may take, and the pauses between them. Every
//! attempt is measured here.

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

use super::services::Services;
use crate::wechat::{CallError, Endpoint, TransportError};

/// First pause between two attempts; it doubles, and each pause is jittered.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// Longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// An attempt that would have less time than this is not made.
const SHORTEST_ATTEMPT: Duration = Duration::from_millis(300);

/// The attempts of one call: how many are left, and until when.
#[derive(Debug)]
pub struct Attempts {
    left: u32,
    pause: Duration,
    deadline: Instant,
    longest: Duration,
    shortest: Duration,
}

impl Attempts {
    /// At most `count` attempts, each at most `longest`, all of them done by `deadline`.
    pub const fn new(count: u32, longest: Duration, deadline: Instant) -> Self {
        Self { left: count, pause: FIRST_PAUSE, deadline, longest, shortest: SHORTEST_ATTEMPT }
    }

    /// The same, where an attempt needs at least `shortest`.
    #[must_use]
    pub const fn shortest(mut self, shortest: Duration) -> Self {
        self.shortest = shortest;
        self
    }

    /// How long the next attempt may take; `None` when there is no time for one.
    pub fn next_timeout(&self) -> Option<Duration> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        (left >= self.shortest).then(|| left.min(self.longest))
    }

    /// Makes one attempt, within the time that an attempt may take.
    ///
    /// # Errors
    /// Why there is no answer; without a call when there is no time for one.
    pub async fn make<T, F>(
        &self,
        services: &Services,
        endpoint: Endpoint,
        attempt: impl FnOnce(Duration) -> F,
    ) -> Result<T, CallError>
    where
        F: Future<Output = Result<T, CallError>>,
    {
        let Some(timeout) = self.next_timeout() else {
            return Err(CallError::Transport(TransportError::no_time(endpoint)));
        };
        let started = Instant::now();
        let answer = attempt(timeout).await;
        services.metrics.call(endpoint.name(), started.elapsed());
        answer
    }

    /// Pauses before another attempt. `false`: there is none left, or no time for one.
    pub async fn pause(&mut self) -> bool {
        self.left = self.left.saturating_sub(1);
        let pause = jittered(self.pause);
        let left = self.deadline.saturating_duration_since(Instant::now());
        if self.left == 0 || left < pause + self.shortest {
            return false;
        }
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        tokio::time::sleep(pause).await;
        true
    }
}

/// Between half of `pause` and all of it, so that many instances do not try in step.
pub fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(fastrand::f64().mul_add(0.5, 0.5))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn attempts_end_by_count_or_by_deadline() {
        let soon = Instant::now() + Duration::from_secs(60);
        let mut three = Attempts::new(3, Duration::from_secs(4), soon);
        assert_eq!(three.next_timeout(), Some(Duration::from_secs(4)));
        assert!(three.pause().await);
        assert!(three.pause().await);
        assert!(!three.pause().await);
        let mut late = Attempts::new(3, Duration::from_secs(4), Instant::now() + Duration::from_millis(350));
        assert_eq!(late.next_timeout(), Some(Duration::from_millis(350)));
        assert!(!late.pause().await);
        let over = Attempts::new(3, Duration::from_secs(4), Instant::now());
        assert_eq!(over.next_timeout(), None);
    }
}
