//! The simulator's clock: the real time plus an offset, so that a test can move the time by hours at once.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A movable clock. Clones share one time, so that a service under test can use the simulator's clock.
#[derive(Clone, Debug, Default)]
pub struct SimClock {
    state: Arc<Mutex<ClockState>>,
}

#[derive(Debug, Default)]
struct ClockState {
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

    /// The same as [`SimClock::now`].
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

    /// Sets the clock to a Unix time in the past or in the future. Unless frozen, it runs on from there.
    pub fn set(&self, unix_secs: u64) {
        let wanted = i64::try_from(unix_secs).unwrap_or(i64::MAX / 4000) * 1000;
        let mut state = self.lock();
        state.offset_ms = wanted - real_ms();
        if let Some(frozen) = &mut state.frozen_ms {
            *frozen = wanted;
        }
    }

    /// Stops the clock. From now on only [`SimClock::advance`] and [`SimClock::set`] move it. A test with a
    /// frozen clock does not depend on when a minute or a day ends.
    pub fn freeze(&self) {
        let now = i64::try_from(self.now_ms()).unwrap_or(0);
        self.lock().frozen_ms = Some(now);
    }

    /// Seconds between this clock and the real time.
    #[must_use]
    pub fn offset(&self) -> i64 {
        (i64::try_from(self.now_ms()).unwrap_or(0) - real_ms()).div_euclid(1000)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, ClockState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn real_ms() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(elapsed.as_millis()).unwrap_or(0)
}
