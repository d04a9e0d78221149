//! What happened in one schedule, in order, with the virtual time of each event; and the broken promises.

use std::fmt;
use std::sync::Mutex;

use tokio::time::Instant;

/// Unix time at which every schedule starts, in seconds.
pub const BASE: i64 = 1_795_343_400;

/// The virtual time of one schedule.
#[derive(Debug, Clone, Copy)]
pub struct Time(Instant);

impl Time {
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Milliseconds since the schedule started.
    pub fn ms(self) -> i64 {
        i64::try_from(self.0.elapsed().as_millis()).unwrap()
    }

    /// Unix seconds.
    pub fn unix(self) -> i64 {
        BASE + self.ms() / 1000
    }
}

/// A broken promise: its name, which never changes, and what was seen.
#[derive(Debug, Clone)]
pub struct Violation {
    pub promise: &'static str,
    pub seen: String,
}

/// The record of one schedule.
pub struct History {
    time: Time,
    /// A schedule that keeps every promise needs no record; one that does not is run again.
    recording: bool,
    events: Mutex<Vec<(i64, String)>>,
    violations: Mutex<Vec<Violation>>,
}

impl History {
    pub fn new(time: Time, recording: bool) -> Self {
        Self { time, recording, events: Mutex::default(), violations: Mutex::default() }
    }

    pub fn note(&self, event: fmt::Arguments<'_>) {
        if self.recording {
            self.events.lock().unwrap().push((self.time.ms(), event.to_string()));
        }
    }

    pub fn broken(&self, promise: &'static str, seen: impl Into<String>) {
        let seen = seen.into();
        self.note(format_args!("BROKEN {promise}: {seen}"));
        self.violations.lock().unwrap().push(Violation { promise, seen });
    }

    pub fn violations(&self) -> Vec<Violation> {
        self.violations.lock().unwrap().clone()
    }

    pub fn text(&self) -> String {
        let events = self.events.lock().unwrap();
        let line = |(ms, event): &(i64, String)| format!("{:>9.3} s  {event}\n", *ms as f64 / 1000.0);
        events.iter().map(line).collect()
    }
}
