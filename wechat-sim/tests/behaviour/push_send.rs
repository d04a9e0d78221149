//! The delivery of pushes: what counts as success, retries, and the schedule.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use wechat_sim::{Push, Sim, SimConfig};

use crate::certificate::Certificate;
use crate::client::{SUCCESS, receiver, start_with, until};
use crate::push_build::open;

const NOT_READY: &str = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
const DECORATED: &str = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\nConnection: close\r\n\r\nsuccess\n";
const ELSEWHERE: &str = "HTTP/1.1 301 Moved\r\nLocation: https://127.0.0.1/\r\nContent-Length: 7\r\nConnection: close\r\n\r\nsuccess";

async fn pushing_to(url: &str) -> Sim {
    start_with(SimConfig {
        callback_url: Some(url.to_owned()),
        push_retry_delay: Duration::from_millis(1),
        ..SimConfig::default()
    })
    .await
}

#[tokio::test]
async fn a_push_is_a_post_of_xml_with_the_signature_in_the_query() {
    let receiver = receiver(vec![Some(SUCCESS)]).await;
    let sim = pushing_to(&format!("{}?tenant=1", receiver.url)).await;
    let outcome = sim.push(Push::ticket()).await;
    assert!(outcome.delivered);
    assert_eq!((outcome.attempts.len(), outcome.status()), (1, Some(200)));
    let pushed = receiver.received.lock().unwrap()[0].clone();
    let (head, body) = pushed.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /wechat/callback?tenant=1&signature="), "{head}");
    assert!(head.contains("&encrypt_type=aes&msg_signature="), "{head}");
    assert!(head.to_lowercase().contains("content-type: text/xml"), "{head}");
    assert!(open(body, &sim.config().encoding_aes_key).message.contains(&sim.current_ticket()));
    assert_eq!(sim.pushes().len(), 1);
}

#[tokio::test]
async fn the_same_push_is_sent_again_until_the_answer_is_success() {
    let receiver = receiver(vec![Some(NOT_READY), Some(DECORATED), Some(ELSEWHERE), Some(SUCCESS)]).await;
    let sim = pushing_to(&receiver.url).await;
    let outcome = sim.push(Push::ticket()).await;
    let statuses: Vec<_> = outcome.attempts.iter().map(|attempt| attempt.status).collect();
    assert!(outcome.delivered);
    assert_eq!(statuses, [Some(503), Some(200), Some(301), Some(200)]);
    let received = receiver.received.lock().unwrap();
    assert!(received.iter().all(|push| *push == received[0]));
}

#[tokio::test]
async fn a_push_is_given_up_after_three_retries() {
    let receiver = receiver(vec![Some(NOT_READY)]).await;
    let sim = pushing_to(&receiver.url).await;
    let outcome = sim.push(Push::ticket()).await;
    assert!(!outcome.delivered);
    assert_eq!(outcome.attempts.len(), 4);
}

#[tokio::test]
async fn silence_and_closed_ports_are_failures_with_a_reason() {
    let silent = receiver(vec![None]).await;
    let sim = start_with(SimConfig {
        callback_url: Some(silent.url.clone()),
        push_timeout: Duration::from_millis(50),
        push_retries: 1,
        push_retry_delay: Duration::from_millis(1),
        ..SimConfig::default()
    })
    .await;
    let outcome = sim.push(Push::ticket()).await;
    assert!(!outcome.delivered);
    assert!(outcome.attempts[0].error.as_deref().unwrap().contains("no answer within 50 ms"));

    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let outcome = sim.push_to(&format!("http://{closed}/"), Push::ticket()).await;
    assert!(outcome.attempts[0].error.is_some());
    sim.set_callback_url(None);
    assert!(sim.push(Push::ticket()).await.attempts.is_empty());
}

#[tokio::test]
async fn the_schedule_pushes_each_ticket_twice() {
    let receiver = receiver(vec![Some(SUCCESS)]).await;
    let sim = start_with(SimConfig {
        callback_url: Some(receiver.url.clone()),
        push_interval: Some(Duration::from_millis(20)),
        ..SimConfig::default()
    })
    .await;
    until(|| sim.pushes().len() >= 5).await;
    sim.set_pushing(false);
    let key = &sim.config().encoding_aes_key;
    let tickets: Vec<String> = receiver.received.lock().unwrap()[..5]
        .iter()
        .map(|push| open(push.split_once("\r\n\r\n").unwrap().1, key).message)
        .map(|message| message.split_once("Ticket><![CDATA[").unwrap().1.to_owned())
        .collect();
    assert_eq!(tickets[0], tickets[1]);
    assert_ne!(tickets[1], tickets[2]);
    assert_eq!(tickets[2], tickets[3]);
    assert_ne!(tickets[3], tickets[4]);
}

#[tokio::test]
async fn an_https_callback_gets_its_push_if_its_ca_is_trusted() {
    let certificate = Certificate::new();
    let acceptor = certificate.acceptor();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}/wechat/callback", listener.local_addr().unwrap().port());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(mut stream) = acceptor.accept(stream).await {
                let mut head = [0; 16];
                stream.read_exact(&mut head).await.unwrap();
                assert_eq!(&head, b"POST /wechat/cal");
                stream.write_all(SUCCESS.as_bytes()).await.unwrap();
                stream.shutdown().await.unwrap();
            }
        }
    });
    let config = SimConfig { push_retries: 0, ..SimConfig::default() };
    let distrusting = start_with(config.clone()).await;
    let refused = distrusting.push_to(&url, Push::ticket()).await;
    assert!(refused.attempts[0].error.as_deref().unwrap().contains("certificate"), "{refused:?}");
    let ca = Some(certificate.files.cert_pem.clone());
    let trusting = start_with(SimConfig { callback_ca: ca, ..config }).await;
    let outcome = trusting.push_to(&url, Push::ticket()).await;
    assert!(outcome.delivered, "{outcome:?}");
}
