//! Faults, as a client on a real connection sees them.

use std::io::ErrorKind;
use std::time::Duration;

use wechat_sim::{Endpoint, ErrmsgStyle, Fault, FaultKind, Sim};

use crate::client::{Answer, create_code, mint, mint_body, request, start, until};

async fn try_mint(sim: &Sim) -> std::io::Result<Answer> {
    request(sim, "POST", Endpoint::ComponentToken.path(), "", &mint_body(sim).to_string()).await
}

#[tokio::test]
async fn a_fault_applies_to_its_api_as_many_times_as_given() {
    let sim = start().await;
    let token = sim.mint();
    sim.inject(Fault::errcode(-1).on(Endpoint::CreatePreAuthCode).times(2));
    assert_eq!(mint(&sim).await.errcode(), None);
    for expected in [Some(-1), Some(-1), None] {
        assert_eq!(create_code(&sim, &token).await.errcode(), expected);
    }
    assert_eq!(sim.codes_issued(), 1);

    sim.inject(Fault::errcode(48001).forever());
    for _ in 0..3 {
        assert_eq!(mint(&sim).await.errcode(), Some(48001));
    }
    sim.clear_faults();
    assert_eq!(mint(&sim).await.errcode(), None);
}

#[tokio::test]
async fn a_fault_after_the_work_leaves_the_work_done() {
    let sim = start().await;
    sim.inject(Fault::errcode(-1));
    assert_eq!(mint(&sim).await.errcode(), Some(-1));
    assert_eq!(sim.tokens_minted(), 0);
    sim.inject(Fault::errcode(-1).after_work());
    assert_eq!(mint(&sim).await.errcode(), Some(-1));
    assert_eq!(sim.tokens_minted(), 1);
}

#[tokio::test]
async fn a_reset_before_the_work_mints_nothing_and_one_after_it_loses_the_answer() {
    let sim = start().await;
    sim.inject(Fault::new(FaultKind::Reset));
    assert_eq!(try_mint(&sim).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert_eq!(sim.tokens_minted(), 0);
    sim.inject(Fault::new(FaultKind::ResetAfter));
    assert_eq!(try_mint(&sim).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert_eq!(sim.tokens_minted(), 1);

    let requests = sim.requests();
    assert_eq!(requests.len(), 2);
    assert!(requests.iter().all(|request| !request.delivered && request.status == 0));
    assert_eq!(requests[0].answer, "");
    assert!(requests[1].answer.contains("component_access_token"));
}

#[tokio::test]
async fn a_close_ends_the_connection_without_an_answer() {
    let sim = start().await;
    sim.inject(Fault::new(FaultKind::Close));
    assert_eq!(try_mint(&sim).await.unwrap_err().kind(), ErrorKind::UnexpectedEof);
    assert_eq!(sim.tokens_minted(), 0);
}

#[tokio::test]
async fn a_truncated_answer_ends_before_its_announced_length() {
    let sim = start().await;
    sim.inject(Fault::new(FaultKind::Truncate));
    assert!(try_mint(&sim).await.is_err());
    assert_eq!(sim.tokens_minted(), 1);
    assert!(!sim.requests()[0].delivered);
}

#[tokio::test]
async fn a_hanging_call_gets_no_answer_and_is_counted() {
    let sim = start().await;
    sim.inject(Fault::new(FaultKind::Hang));
    let waited = tokio::time::timeout(Duration::from_millis(100), try_mint(&sim)).await;
    assert!(waited.is_err());
    assert_eq!((sim.calls(Endpoint::ComponentToken), sim.tokens_minted()), (1, 0));
    assert_eq!(mint(&sim).await.errcode(), None);
}

#[tokio::test]
async fn a_delay_can_precede_another_fault() {
    let sim = start().await;
    sim.inject(Fault::delay(Duration::from_secs(60)));
    sim.inject(Fault::errcode(45011));
    let early = tokio::time::timeout(Duration::from_millis(20), try_mint(&sim)).await;
    assert!(early.is_err(), "answered in spite of the delay");
    sim.inject(Fault::delay(Duration::from_millis(1)));
    sim.inject(Fault::errcode(45011));
    assert_eq!(mint(&sim).await.errcode(), Some(45011));
    assert!(sim.faults().is_empty());
}

#[tokio::test]
async fn a_caller_that_leaves_before_its_answer_is_in_the_log() {
    let sim = start().await;
    sim.inject(Fault::delay(Duration::from_secs(3600)).after_work());
    let waited = tokio::time::timeout(Duration::from_millis(100), try_mint(&sim)).await;
    assert!(waited.is_err());
    until(|| !sim.requests()[0].answer.is_empty()).await;
    let request = &sim.requests()[0];
    assert!(request.answer.contains(&sim.current_token().unwrap()));
    assert_eq!((request.status, request.delivered), (0, false));
}

#[tokio::test]
async fn answers_that_are_not_json_have_their_status_and_type() {
    let sim = start().await;
    sim.inject(Fault::new(FaultKind::Html { status: 502 }));
    let answer = mint(&sim).await;
    assert_eq!((answer.status, answer.header("content-type")), (502, Some("text/html; charset=utf-8")));
    assert!(answer.body.starts_with("<html>"));
    sim.inject(Fault::new(FaultKind::Status { status: 504 }));
    let answer = mint(&sim).await;
    assert_eq!((answer.status, answer.body.as_str()), (504, ""));
    assert_eq!(sim.tokens_minted(), 0);
}

#[tokio::test]
async fn unusual_successes_are_still_successes() {
    let sim = start().await;
    sim.inject(Fault::new(FaultKind::TextPlain));
    let answer = mint(&sim).await;
    assert_eq!(answer.header("content-type"), Some("text/plain"));
    assert_eq!(answer.json()["expires_in"], 7200);

    sim.inject(Fault::new(FaultKind::ErrcodeZero));
    let answer = mint(&sim).await;
    assert_eq!((answer.errcode(), answer.errmsg().as_str()), (Some(0), "ok"));
    assert!(answer.json()["component_access_token"].is_string());

    sim.inject(Fault::new(FaultKind::ExpiresIn { seconds: 600 }));
    assert_eq!(mint(&sim).await.json()["expires_in"], 600);

    sim.inject(Fault::new(FaultKind::EmptyField));
    assert_eq!(mint(&sim).await.json()["component_access_token"], "");

    sim.inject(Fault::new(FaultKind::Huge { bytes: 3_000_000 }));
    let answer = mint(&sim).await;
    assert!(answer.body.len() > 3_000_000);
    assert_eq!(answer.json()["expires_in"], 7200);
    assert_eq!(sim.tokens_minted(), 5);
}

#[tokio::test]
async fn errcodes_can_be_strings_and_errmsgs_can_have_an_old_style() {
    let sim = start().await;
    sim.inject(Fault::new(FaultKind::StringErrcode { errcode: 61003, errmsg: None }));
    assert_eq!(mint(&sim).await.json()["errcode"], "61003");
    sim.inject(Fault::new(FaultKind::OldErrcode { errcode: 41002, errmsg_style: ErrmsgStyle::Hint }));
    assert!(mint(&sim).await.errmsg().starts_with("appid missing hint: ["));
}
