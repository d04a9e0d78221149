//! A request is dropped at any await, as when Lambda ends an environment or a caller stops waiting. What it leaves
//! behind must not stop the next one.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::time::{Instant, sleep};

use crate::faulty_state::Fate;
use crate::scripted_wechat::Reply;
use crate::timed_service::{TimedInstance, TimedService, millis, secs};

/// Polls a future so many times and then gives it up.
struct Polled<F> {
    future: Pin<Box<F>>,
    left: usize,
}

impl<F: Future> Future for Polled<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        self.left -= 1;
        let polled = self.future.as_mut().poll(context).map(Some);
        if self.left == 0 && polled.is_pending() { Poll::Ready(None) } else { polled }
    }
}

/// What there is when the request begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Missing,
    Due,
    Refused,
}

/// What WeChat does while the dropped request runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WeChat {
    Answers,
    IsBusy,
    LosesAnswers,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Request {
    Issue,
    Refresh { force: bool },
}

/// Every access to the table takes 20 ms in each direction, and so can be cut off before it and after it.
fn slow_table(instance: &TimedInstance) {
    instance.table.decide(|_| Fate::WORKS.slow(millis(20)).slow_answer(millis(20)));
}

/// Whether the request ended before it was dropped.
async fn polled(instance: &TimedInstance, request: Request, times: usize) -> bool {
    let work = async {
        match request {
            Request::Issue => drop(instance.issue().await),
            Request::Refresh { force } => drop(instance.refresh(force).await),
        }
    };
    Polled { future: Box::pin(work), left: times }.await.is_some()
}

/// Drops one request after so many polls. Returns whether it had ended by then.
async fn drop_one(token: Token, wechat: WeChat, request: Request, times: usize, same_next: bool) -> bool {
    let named =
        format!("{request:?} with the token {token:?}, WeChat {wechat:?}, dropped after {times} polls");
    let service = TimedService::new().await;
    let (dropped, other) = (service.caller(), service.caller());
    if token != Token::Missing {
        dropped.issue().await.unwrap();
        sleep(secs(if token == Token::Due { 7000 } else { 1000 })).await;
    }
    if token == Token::Refused {
        service.wechat.revoke_tokens();
    }
    slow_table(&dropped);
    service.wechat.decide(move |_| match wechat {
        WeChat::Answers => Reply::USUAL.after(millis(50)),
        WeChat::IsBusy => Reply::errcode(-1).after(millis(50)),
        WeChat::LosesAnswers => Reply::LOST.after(millis(50)),
    });
    let ended = polled(&dropped, request, times).await;
    // A call that is under way is processed, and everything works again.
    sleep(millis(60)).await;
    service.wechat.works();
    dropped.table.works();
    let mints = service.wechat.mints();

    let (next, last) = if same_next { (&dropped, &other) } else { (&other, &dropped) };
    let began = Instant::now();
    if wechat == WeChat::Answers || token == Token::Due {
        next.issue().await.unwrap_or_else(|problem| panic!("{named}: {problem:?}"));
        // The lease, and the poll that finds it ended.
        assert!(began.elapsed() <= secs(16), "{named}: {:?}", began.elapsed());
        if token == Token::Due {
            assert!(began.elapsed() < secs(1), "{named}: it waits although its token is valid");
        }
    } else {
        // A backoff may have been stored.
        let _backed_off = next.issue().await;
        sleep(secs(15)).await;
        next.issue().await.unwrap_or_else(|problem| panic!("{named}: {problem:?}"));
    }
    last.issue().await.unwrap_or_else(|problem| panic!("{named}: {problem:?}"));
    assert!(service.wechat.mints() <= mints + 1, "{named}");
    if token != Token::Refused {
        assert_eq!((dropped.foreign_mints(), other.foreign_mints()), (0.0, 0.0), "{named}");
    }
    // Nothing is left of the lease.
    sleep(secs(16)).await;
    let item = service.item().await;
    assert!(item.live_lease(service.now()).is_none(), "{named}");
    ended
}

/// Drops the request at each of its awaits, until it is not dropped any more.
async fn drop_at_every_await(request: Request) {
    for token in [Token::Missing, Token::Due, Token::Refused] {
        for wechat in [WeChat::Answers, WeChat::IsBusy, WeChat::LosesAnswers] {
            for same_next in [false, true] {
                let mut times = 0;
                while !drop_one(token, wechat, request, times, same_next).await {
                    times += 1;
                }
                assert!(times > 2, "{request:?}, {token:?}, {wechat:?}: only {times} awaits");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_issue_that_is_dropped_at_any_await_stops_nobody() {
    drop_at_every_await(Request::Issue).await;
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_is_dropped_at_any_await_stops_nobody() {
    drop_at_every_await(Request::Refresh { force: false }).await;
}

#[tokio::test(start_paused = true)]
async fn a_forced_refresh_that_is_dropped_at_any_await_stops_nobody() {
    drop_at_every_await(Request::Refresh { force: true }).await;
}
