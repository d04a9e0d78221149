//! The time of the service, which is the simulator's: whoever moves that clock moves both.

use wechat_preauth::platform::Clock;
use wechat_sim::SimClock;

/// The simulator's clock as the service's clock.
pub struct SimulatedTime(pub SimClock);

impl Clock for SimulatedTime {
    fn now(&self) -> i64 {
        i64::try_from(self.0.now()).unwrap_or(i64::MAX)
    }
}
