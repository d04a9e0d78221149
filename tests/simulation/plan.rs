//! What a seed decides before a schedule starts.

use fastrand::Rng;

/// One schedule's conditions. Rates are per thousand.
#[derive(Debug, Clone)]
pub struct Plan {
    pub seed: u64,
    /// How long faults and events may begin, in seconds; afterwards everything is healthy.
    pub stormy_s: u64,
    /// Clock error of each instance, in seconds.
    pub skews: Vec<i64>,
    /// How many of the instances are keepers.
    pub keepers: usize,
    /// What WeChat says in `expires_in`.
    pub expires_in: i64,
    /// Whether tokens may be minted.
    pub minting: bool,
    pub ticket_at_start: bool,
    /// Bursts of callers: when (ms), on which instance, how many, with how many ms each.
    pub bursts: Vec<(u64, usize, usize, u64)>,
    /// Other events: when (ms), and what.
    pub events: Vec<(u64, Event)>,
    pub wechat: Faults,
    pub table: Faults,
}

/// How often one remote side misbehaves, per thousand calls.
#[derive(Debug, Clone, Copy, Default)]
pub struct Faults {
    /// No connection, or throttled: nothing was processed.
    pub refused: u32,
    /// The request is lost on its way.
    pub lost_request: u32,
    /// Processed, and the answer is lost.
    pub lost_answer: u32,
    /// The request or its answer takes up to `slow_ms`.
    pub slow: u32,
    pub slow_ms: u64,
    /// WeChat only: an errcode of the passing kind.
    pub errcode: u32,
}

#[derive(Debug, Clone, Copy)]
pub enum Event {
    Crash(usize),
    Freeze(usize, u64),
    /// A refresh with `force` by an operator.
    Force(usize),
    /// Another program mints a token.
    ForeignMint,
    /// The operator writes a new version of the same credentials.
    NewVersion,
    /// The operator puts another component into the secret.
    OtherComponent,
    /// The old token server hands over the newest token; only while `MINTING` is off.
    PutToken(usize),
    /// Secrets Manager fails for so many ms.
    SecretsDown(u64),
    /// The table fails for so many ms.
    TableDown(u64),
    /// WeChat refuses the address for so many ms.
    WhitelistEdited(u64),
    /// WeChat refuses the stored ticket.
    TicketRefused,
}

impl Plan {
    pub fn of(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let stormy_s =
            [60, 60, 60, 60, 120, 120, 120, 120, 120, 400, 400, 400, 400, 1200, 1200, 9000][rng.usize(..16)];
        let instances = 2 + rng.usize(..6);
        let keepers = rng.usize(..3).min(instances - 1);
        let minting = rng.u32(..100) >= 6;
        let expires_in = match rng.u32(..100) {
            0..=79 => 7200,
            80..=84 => 60,
            85..=89 => 200,
            90..=93 => 300,
            94..=96 => 700,
            97 => 301,
            98 => 600,
            _ => i64::MAX,
        };
        let skews = match rng.u32(..100) {
            0..=49 => vec![0; instances],
            50..=84 => (0..instances).map(|_| rng.i64(-1..=1)).collect(),
            class => {
                let far = if class < 93 { 120 } else { 3600 };
                let mut skews = vec![0; instances];
                skews[rng.usize(..instances)] = if rng.bool() { far } else { -far };
                skews
            }
        };
        let calm = rng.u32(..100) < 25;
        let rate = |rng: &mut Rng, most: u32| if calm || rng.bool() { 0 } else { rng.u32(..most) };
        let faults = |rng: &mut Rng, most: u32, slow_ms: &[u64]| Faults {
            refused: rate(rng, most),
            lost_request: rate(rng, most),
            lost_answer: rate(rng, most),
            slow: rate(rng, most * 2),
            slow_ms: slow_ms[rng.usize(..slow_ms.len())],
            errcode: rate(rng, most),
        };
        let wechat = faults(&mut rng, 250, &[600, 2000, 4500, 6000]);
        let table = faults(&mut rng, 200, &[300, 900, 2000]);
        let mut plan = Self {
            seed,
            stormy_s,
            skews,
            keepers,
            expires_in,
            minting,
            ticket_at_start: rng.u32(..100) >= 5,
            bursts: Vec::new(),
            events: Vec::new(),
            wechat,
            table,
        };
        plan.draw_bursts(&mut rng);
        plan.draw_events(&mut rng, calm);
        plan
    }

    fn draw_bursts(&mut self, rng: &mut Rng) {
        let instances = self.skews.len();
        let mut callers = 50_usize;
        for _ in 0..4 + rng.usize(..10) {
            let count = (1 + rng.usize(..8)).min(callers);
            callers -= count;
            if count == 0 {
                break;
            }
            // Some close together, since most races need that.
            let at = match self.bursts.last() {
                Some((last, ..)) if rng.bool() => last + rng.u64(..3000),
                _ => rng.u64(..self.stormy_s * 1000),
            };
            let time = [3000, 8000, 12_000, 20_000, 25_000][rng.usize(..5)];
            self.bursts.push((at, rng.usize(..instances), count, time));
        }
    }

    fn draw_events(&mut self, rng: &mut Rng, calm: bool) {
        let instances = self.skews.len();
        let count = if calm { rng.usize(..3) } else { rng.usize(..8) };
        for _ in 0..count {
            let near = self.bursts[rng.usize(..self.bursts.len())].0;
            let at = if rng.bool() { near + rng.u64(..8000) } else { rng.u64(..self.stormy_s * 1000) };
            let who = rng.usize(..instances);
            let event = match rng.u32(..100) {
                0..=14 => Event::Crash(who),
                15..=34 => Event::Freeze(who, [500, 3000, 9000, 20_000, 400_000][rng.usize(..5)]),
                35..=44 if self.minting => Event::Force(who),
                45..=54 => Event::ForeignMint,
                55..=59 => Event::NewVersion,
                // With MINTING=off the service cannot know whose token is handed over.
                60..=64 if self.minting => Event::OtherComponent,
                65..=74 => Event::SecretsDown(rng.u64(1000..90_000)),
                75..=84 => Event::TableDown(rng.u64(500..20_000)),
                85..=92 => Event::WhitelistEdited(rng.u64(1000..60_000)),
                93..=96 => Event::TicketRefused,
                _ => Event::Freeze(who, 17_000),
            };
            self.events.push((at, event));
        }
        if !self.minting {
            for round in 0..=self.stormy_s / 1000 {
                self.events
                    .push((round * 1_000_000 + rng.u64(..2000), Event::PutToken(rng.usize(..instances))));
            }
        }
        self.events.sort_by_key(|(at, _)| *at);
    }

    /// Whether all clocks agree within two seconds: the bound up to which there are never two mints.
    pub fn clocks_agree(&self) -> bool {
        self.skews.iter().max().unwrap() - self.skews.iter().min().unwrap() <= 2
    }

    /// Whether an instance's clock is wrong by more than the two seconds that are allowed.
    pub fn is_wrong(&self, instance: usize) -> bool {
        self.skews.get(instance).is_some_and(|skew| skew.abs() > 2)
    }

    pub fn has(&self, wanted: impl Fn(&Event) -> bool) -> bool {
        self.events.iter().any(|(_, event)| wanted(event))
    }
}
