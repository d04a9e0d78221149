//! Everything that can keep a merchant from WeChat, in words that say nothing of the inside.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;
use wechat_preauth::platform::{ProblemCode, StateError};

use crate::harness::{Answer, Harness, Next};

async fn click(harness: &Harness, target: &str) -> Answer {
    let answer = harness.post(target).await;
    answer.is_safe();
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(answer.header("referrer-policy"), "no-referrer");
    answer
}

/// A problem with texts that no merchant may see.
fn problem(retry_after: Option<i64>) -> Value {
    json!({
        "detail": "INSIDE detail", "remedy": "INSIDE remedy", "errmsg": "INSIDE errmsg", "client_ip": "198.51.100.1",
        "errcode": 61004, "rid": "5f92a0c3-4b491949-0aa4f69d", "retry_after": retry_after, "request_id": "INSIDE-id",
    })
}

#[tokio::test]
async fn each_problem_of_the_code_is_a_page_with_the_owners_reference() {
    use ProblemCode as Code;
    let harness = Harness::new();
    let (id, _) = harness.link(&json!({ "reference": "order-17" })).await;
    let target = format!("/authorize/{id}");
    let mut pages = std::collections::BTreeMap::new();
    for (code, status) in [
        (Code::WeChatBusy, 503),
        (Code::WeChatTokenRejected, 503),
        (Code::TokenPending, 503),
        (Code::WeChatRateLimited, 503),
        (Code::WeChatDailyQuotaExhausted, 503),
        (Code::ConfigEgressIpNotRegistered, 503),
        (Code::ConfigAppIdRejected, 503),
        (Code::SecretsInvalid, 503),
        (Code::TicketMissing, 503),
        (Code::RequestInvalid, 500),
    ] {
        harness.preauthcode(Next::Problem(code, problem(None)));
        let page = click(&harness, &target).await;
        assert_eq!(page.status, status, "{code}");
        assert!(page.body.contains("order-17"), "{code}: {}", page.body);
        for inside in ["INSIDE", "198.51.100.1", "61004", "5f92a0c3", code.as_str()] {
            assert!(!page.body.contains(inside), "{code} shows {inside}");
        }
        assert!(harness.metrics.sum(&format!("Failure.{code}")) == 1.0, "{code}");
        let title = page.body.split_once("<h1").and_then(|(_, rest)| rest.split_once("</h1>")).unwrap().0;
        pages.entry(title.to_owned()).or_insert_with(Vec::new).push(code.as_str());
    }
    // Busy, quota, settings, ticket, internal: each has a title of its own.
    assert_eq!(pages.len(), 5, "{pages:#?}");

    // None of these took a code, so none counts: twenty are left.
    harness.preauthcode(Next::Code);
    for _ in 0..20 {
        assert_eq!(harness.post(&target).await.status, 303);
    }
}

#[tokio::test]
async fn the_waiting_time_is_that_of_the_code() {
    let harness = Harness::new();
    let (id, _) = harness.link(&json!({})).await;
    for (next, seconds) in [
        (Next::Problem(ProblemCode::TokenPending, problem(Some(7))), "7"),
        (Next::Problem(ProblemCode::WeChatBusy, json!({})), "5"),
        (Next::Problem(ProblemCode::WeChatBusy, json!("text")), "5"),
        (Next::Unreachable, "5"),
    ] {
        harness.preauthcode(next);
        assert_eq!(click(&harness, &format!("/authorize/{id}")).await.header("retry-after"), seconds);
    }
}

#[tokio::test]
async fn a_crash_of_the_function_is_no_code_and_no_secret() {
    let harness = Harness::new();
    let (id, _) = harness.link(&json!({})).await;
    for next in [
        Next::Crash(r#"{"errorType":"Runtime.ExitError","errorMessage":"RequestId: INSIDE exit status 1"}"#),
        Next::Crash(r#"{"errorType":"Sandbox.Timedout","errorMessage":"INSIDE"}"#),
        Next::Crash("<html>INSIDE"),
        Next::Crash(""),
        Next::Answer(""),
        Next::Answer(r#"{"pre_auth_code":"x"}"#),
        Next::Answer(r#"{"code_fingerprint":7,"authorization_urls":{"pc":"INSIDE","mobile":"x"}}"#),
        Next::Unreachable,
    ] {
        harness.preauthcode(next);
        let page = click(&harness, &format!("/authorize/{id}")).await;
        assert_eq!(page.status, 503);
        assert!(!page.body.contains("INSIDE"), "{}", page.body);
    }
    assert_eq!(harness.metrics.sum("Failure.Function.Unavailable"), 8.0);
    assert_eq!(harness.metrics.sum("FunctionError"), 0.0);
}

#[tokio::test]
async fn a_location_that_is_no_url_leads_nowhere() {
    let harness = Harness::new();
    let (id, _) = harness.link(&json!({})).await;
    for answer in [
        r#"{"code_fingerprint":"x","authorization_urls":{"pc":"https://a\r\nset-cookie: x","mobile":"https://a"}}"#,
        r#"{"code_fingerprint":"x","authorization_urls":{"pc":"javascript:alert(1)","mobile":"https://a"}}"#,
        r#"{"code_fingerprint":"x","authorization_urls":{"pc":"https://a","mobile":"/b"}}"#,
        r#"{"code_fingerprint":"x","authorization_urls":{"pc":"https://a/\u8ba2","mobile":"https://a"}}"#,
    ] {
        harness.preauthcode(Next::Answer(answer));
        let page = harness.post(&format!("/authorize/{id}")).await;
        assert_eq!(
            (page.status, page.header("location"), page.header("set-cookie")),
            (503, "", ""),
            "{answer}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_function_that_hangs_ends_with_the_invocation() {
    let harness = Harness::new();
    let (id, _) = harness.link(&json!({})).await;
    harness.preauthcode(Next::Hangs);
    let started = Instant::now();
    let page = click(&harness, &format!("/authorize/{id}")).await;
    assert_eq!(page.status, 503);
    // The time of an invocation outside Lambda, less what the answer needs.
    assert!(started.elapsed() < Duration::from_secs(12), "{:?}", started.elapsed());
}

/// WeChat may have issued a code whose answer was lost.
#[tokio::test]
async fn an_unclear_end_counts_as_a_code() {
    let lost = |code| Next::Problem(code, json!({}));
    for next in [
        Next::Unreachable,
        Next::Crash(r#"{"errorType":"Sandbox.Timedout"}"#),
        Next::Answer("{}"),
        lost(ProblemCode::WeChatTimeout),
        lost(ProblemCode::WeChatUnreachable),
        lost(ProblemCode::Internal),
    ] {
        let harness = Harness::new();
        let (id, _) = harness.link(&json!({})).await;
        let target = format!("/authorize/{id}");
        harness.preauthcode(next);
        for _ in 0..20 {
            assert!(harness.post(&target).await.status >= 500);
        }
        for _ in 0..5 {
            assert_eq!(harness.post(&target).await.status, 429);
        }
        assert_eq!(harness.invocations(), 20);
    }
}

#[tokio::test]
async fn what_lambda_refuses_takes_no_code() {
    let harness = Harness::new();
    let (id, _) = harness.link(&json!({})).await;
    let target = format!("/authorize/{id}");
    harness.preauthcode(Next::Refused);
    for _ in 0..25 {
        assert_eq!(harness.post(&target).await.status, 503);
    }
    harness.preauthcode(Next::Code);
    for _ in 0..20 {
        assert_eq!(harness.post(&target).await.status, 303);
    }
}

#[tokio::test]
async fn a_link_is_started_a_hundred_times_whatever_comes_of_it() {
    let harness = Harness::new();
    let (id, _) = harness.link(&json!({})).await;
    let target = format!("/authorize/{id}");
    harness.preauthcode(Next::Problem(ProblemCode::WeChatBusy, json!({})));
    for _ in 0..100 {
        assert_eq!(harness.post(&target).await.status, 503);
    }
    for _ in 0..5 {
        assert_eq!(harness.post(&target).await.status, 429);
    }
    assert_eq!(harness.invocations(), 100);
}

#[tokio::test]
async fn a_table_that_is_down_is_a_page_and_costs_no_code() {
    let harness = Harness::new();
    let (id, _) = harness.link(&json!({})).await;
    harness.links.fail(Some(StateError("throttled".into())));
    for answer in
        [harness.get(&format!("/authorize/{id}")).await, harness.post(&format!("/authorize/{id}")).await]
    {
        answer.is_safe();
        assert_eq!((answer.status, answer.header("retry-after")), (503, "5"));
        assert!(answer.body.contains(&format!("href=\"/authorize/{id}?lang=zh\"")), "{}", answer.body);
    }
    assert_eq!(harness.invocations(), 0);
}

#[tokio::test]
async fn the_launch_page_shows_nothing_of_the_owners_that_is_not_the_merchants() {
    let harness = Harness::new();
    let request = json!({ "state": "STATE", "return_url": "https://shop.example.com/RETURN" });
    let (id, link_id) = harness.link(&request).await;
    let page = harness.get(&format!("/authorize/{id}")).await;
    for hidden in ["STATE", "RETURN", &link_id] {
        assert!(!page.body.contains(hidden), "{hidden}");
    }
}

#[tokio::test]
async fn the_launch_page_names_the_accounts_that_may_be_chosen() {
    let harness = Harness::new();
    for (request, chinese, english) in [
        (json!({}), "公众号或小程序", "Official Account or Mini Program"),
        (json!({ "auth_type": 2 }), "小程序", "Mini Program"),
        (json!({ "auth_type": 5 }), "视频号", "Channels account"),
        (json!({ "auth_type": 77 }), "账号", "account"),
        (json!({ "auth_type": 2, "biz_appid": "wxba5fad812f8e6fb9" }), "账号", "account"),
    ] {
        let (id, _) = harness.link(&request).await;
        for (language, words) in
            [("zh", format!("选择要授权的{chinese}<")), ("en", format!("Choose the {english}<"))]
        {
            let page = harness.get(&format!("/authorize/{id}?lang={language}")).await;
            assert!(page.body.contains(&words), "{request}: {}", page.body);
        }
    }
}
