//! Call quotas by day and by minute, and the monthly number of clearings.

use std::collections::BTreeMap;

use crate::issued::Refusal;
use crate::{Endpoint, SimConfig};

/// WeChat counts days in China time. When exactly these quotas reset is not documented.
const CHINA_OFFSET: u64 = 8 * 3600;

/// The counters of the current day, minute and month.
#[derive(Debug, Default)]
pub(crate) struct Quota {
    day: u64,
    minute: u64,
    month: (u64, u64),
    used_today: BTreeMap<Endpoint, u64>,
    used_this_minute: BTreeMap<Endpoint, u64>,
    clears: u32,
}

impl Quota {
    /// Counts one call, or refuses it: 45009 for the day, 45011 for the minute.
    pub(crate) fn spend(&mut self, api: Endpoint, now: u64, config: &SimConfig) -> Result<(), Refusal> {
        self.roll(now);
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
        self.roll(now);
        self.used_today.get(&api).copied().unwrap_or(0)
    }

    /// Clears the day's counters, or refuses with 48006 when the month's clearings are used up.
    /// The count of token mints goes only `with_mints`: the call by appsecret does that.
    pub(crate) fn clear(&mut self, now: u64, with_mints: bool, config: &SimConfig) -> Result<(), Refusal> {
        self.roll(now);
        if self.clears >= config.clears_per_month {
            return Err(Refusal(48006));
        }
        self.clears += 1;
        self.used_today.retain(|api, _| *api == Endpoint::ComponentToken && !with_mints);
        Ok(())
    }

    fn roll(&mut self, now: u64) {
        let day = (now + CHINA_OFFSET) / 86_400;
        if self.day != day {
            self.day = day;
            self.used_today.clear();
        }
        let minute = now / 60;
        if self.minute != minute {
            self.minute = minute;
            self.used_this_minute.clear();
        }
        let month = month_of(day);
        if self.month != month {
            self.month = month;
            self.clears = 0;
        }
    }
}

/// Year and month of a day counted from 1970-01-01, by the usual civil calendar arithmetic
/// on eras of 400 years that begin in March.
fn month_of(day: u64) -> (u64, u64) {
    let day = day + 719_468;
    let era = day / 146_097;
    let day_of_era = day % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month)
}

#[cfg(test)]
mod tests {
    use super::month_of;

    #[test]
    fn months_follow_the_calendar() {
        assert_eq!(month_of(0), (1970, 1));
        assert_eq!(month_of(19_782), (2024, 2)); // 29 February 2024
        assert_eq!(month_of(19_783), (2024, 3));
        assert_eq!(month_of(20_819), (2027, 1)); // 1 January 2027
        assert_eq!(month_of(20_818), (2026, 12));
    }
}
