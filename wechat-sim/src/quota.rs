//! Call quotas by day and by minute, and the monthly number of clearings.

use std::collections::BTreeMap;

use time::{Date, Month, OffsetDateTime};

use crate::errcode::Refusal;
use crate::{Endpoint, SimConfig};

/// WeChat counts days in China time. When exactly these quotas reset is not documented.
const CHINA_OFFSET_SECS: u64 = 8 * 3600;

/// The counters of the current day, minute and month.
#[derive(Default)]
pub(crate) struct Quota {
    day: Option<Date>,
    minute: u64,
    month: Option<(i32, Month)>,
    used_today: BTreeMap<Endpoint, u64>,
    used_this_minute: BTreeMap<Endpoint, u64>,
    clears: u32,
}

impl Quota {
    /// Counts one call, or refuses it: 45009 for the day, 45011 for the minute.
    pub(crate) fn spend(&mut self, api: Endpoint, now: u64, config: &SimConfig) -> Result<(), Refusal> {
        self.start_periods(now);
        let today = self.used_today.entry(api).or_default();
        if config.daily_quota.get(&api).is_some_and(|limit| *today >= *limit) {
            return Err(Refusal(45009));
        }
        let this_minute = self.used_this_minute.entry(api).or_default();
        if config.minute_quota.get(&api).is_some_and(|limit| *this_minute >= *limit) {
            return Err(Refusal(45011));
        }
        *today += 1;
        *this_minute += 1;
        Ok(())
    }

    pub(crate) fn used_today(&mut self, api: Endpoint, now: u64) -> u64 {
        self.start_periods(now);
        self.used_today.get(&api).copied().unwrap_or(0)
    }

    /// Clears the day's counters, or refuses with 48006 when the month's clearings are used up. The count of
    /// token mints is cleared only `with_mints`, as by the call with appsecret.
    pub(crate) fn clear(&mut self, now: u64, with_mints: bool, config: &SimConfig) -> Result<(), Refusal> {
        self.start_periods(now);
        if self.clears >= config.clears_per_month {
            return Err(Refusal(48006));
        }
        self.clears += 1;
        self.used_today.retain(|api, _| *api == Endpoint::ComponentToken && !with_mints);
        Ok(())
    }

    /// Starts a new day, minute or month if one has begun.
    fn start_periods(&mut self, now: u64) {
        let day = day_in_china(now);
        if self.day != Some(day) {
            self.day = Some(day);
            self.used_today.clear();
        }
        let minute = now / 60;
        if self.minute != minute {
            self.minute = minute;
            self.used_this_minute.clear();
        }
        let month = (day.year(), day.month());
        if self.month != Some(month) {
            self.month = Some(month);
            self.clears = 0;
        }
    }
}

/// The day in China. Times that `time` cannot represent count as one day.
fn day_in_china(now: u64) -> Date {
    let seconds = i64::try_from(now + CHINA_OFFSET_SECS).unwrap_or(i64::MAX);
    OffsetDateTime::from_unix_timestamp(seconds).map_or(Date::MAX, OffsetDateTime::date)
}
