//! The simulator's clock: real time plus an offset, so that hours pass in a test at once.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A movable clock in Unix seconds. Clones share one time, so a service under test can read
/// the very clock that WeChat's side goes by.
#[derive(Clone, Debug, Default)]
pub struct SimClock {
    state: Arc<Mutex<StateStore>>,
}

#[derive(Debug, Default)]
struct StateStore {
    offset_ms: i64,
    frozen_ms: Option<i64>,
}

impl SimClock {
    /// A clock that shows the real time.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The time in Unix seconds.
    #[must_use]
    pub fn now(&self) -> u64 {
        self.now_ms() / 1000
    }

    /// The same as [`SimClock::now`], under the name a clock trait usually has.
    #[must_use]
    pub fn now_unix(&self) -> u64 {
        self.now()
    }

    /// The time in Unix milliseconds.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        let state = self.lock();
        let now = state.frozen_ms.unwrap_or_else(|| real_ms() + state.offset_ms);
        u64::try_from(now).unwrap_or(0)
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX / 4);
        let mut state = self.lock();
        state.offset_ms += by;
        if let Some(frozen) = &mut state.frozen_ms {
            *frozen += by;
        }
    }

    /// Sets the clock to a Unix time, in the past or in the future; it runs on from there.
    pub fn set(&self, unix_secs: u64) {
        let wanted = i64::try_from(unix_secs).unwrap_or(i64::MAX / 4000) * 1000;
        let mut state = self.lock();
        state.offset_ms = wanted - real_ms();
        if let Some(frozen) = &mut state.frozen_ms {
            *frozen = wanted;
        }
    }

    /// Stops the clock: from now on it only moves by [`SimClock::advance`] and [`SimClock::set`].
    /// Keeps a test clear of the edges of minutes and days.
    pub fn freeze(&self) {
        let now = i64::try_from(self.now_ms()).unwrap_or(0);
        self.lock().frozen_ms = Some(now);
    }

    /// Seconds between this clock and the real time.
    #[must_use]
    pub fn offset(&self) -> i64 {
        (i64::try_from(self.now_ms()).unwrap_or(0) - real_ms()).div_euclid(1000)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, StateStore> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn real_ms() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(elapsed.as_millis()).unwrap_or(0)
}
