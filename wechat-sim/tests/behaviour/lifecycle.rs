//! Starting, stopping, TLS, and many callers at once.

use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use wechat_sim::{Endpoint, Fault, FaultKind, Sim, SimClock, SimConfig, TlsFiles};

use crate::certificate::Certificate;
use crate::client::{create_code, exchange, mint, mint_body, start, start_with};

#[tokio::test]
async fn a_stopped_simulator_frees_its_address() {
    let first = start().await;
    mint(&first).await;
    let listen = first.addr();
    let mut idle = TcpStream::connect(listen).await.unwrap();
    first.stop().await;
    assert!(TcpStream::connect(listen).await.is_err());
    let mut byte = [0];
    assert!(matches!(idle.read(&mut byte).await, Ok(0) | Err(_)), "still open");

    let second = start_with(SimConfig { listen, ..SimConfig::default() }).await;
    assert_eq!(second.addr(), listen);
    assert_eq!(mint(&second).await.errcode(), None);
}

#[tokio::test]
async fn a_resumed_simulator_keeps_its_state() {
    let sim = start().await;
    let token = sim.mint();
    sim.stop().await;
    assert!(TcpStream::connect(sim.addr()).await.is_err());
    sim.resume().await.unwrap();
    sim.resume().await.unwrap();
    assert_eq!(create_code(&sim, &token).await.errcode(), None);
}

#[tokio::test]
async fn dropping_the_last_handle_stops_the_server() {
    let sim = start().await;
    let addr = sim.addr();
    let other = sim.clone();
    drop(sim);
    assert_eq!(mint(&other).await.errcode(), None);
    drop(other);
    while TcpStream::connect(addr).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn clones_of_a_clock_share_one_time() {
    let clock = SimClock::new();
    let sim = start_with(SimConfig { clock: Some(clock.clone()), ..SimConfig::default() }).await;
    let before = clock.now_unix();
    sim.clock().advance(Duration::from_secs(7200));
    assert_eq!(clock.now_unix(), before + 7200);
    clock.set(1_800_000_000);
    assert_eq!(sim.clock().now(), 1_800_000_000);
}

#[tokio::test]
async fn a_used_address_a_bad_key_and_a_bad_callback_url_are_refused_at_the_start() {
    let sim = start().await;
    assert!(Sim::start(SimConfig { listen: sim.addr(), ..SimConfig::default() }).await.is_err());
    let bad = SimConfig { encoding_aes_key: "short".into(), ..SimConfig::default() };
    assert!(Sim::start(bad).await.unwrap_err().to_string().contains("43 characters"));
    let bad = SimConfig { callback_url: Some("ftp://x".into()), ..SimConfig::default() };
    assert!(Sim::start(bad).await.unwrap_err().to_string().contains("http:// or https://"));
}

#[tokio::test]
async fn three_hundred_callers_at_once_all_get_codes_of_their_own() {
    let sim = start().await;
    let token = sim.mint();
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..300 {
        let (sim, token) = (sim.clone(), token.clone());
        callers.spawn(async move { create_code(&sim, &token).await.json()["pre_auth_code"].to_string() });
    }
    let codes: std::collections::HashSet<String> = callers.join_all().await.into_iter().collect();
    assert_eq!((codes.len(), sim.calls(Endpoint::CreatePreAuthCode)), (300, 300));
}

#[tokio::test]
async fn without_keep_alive_the_server_ends_the_connection() {
    let sim = start_with(SimConfig { keep_alive: false, ..SimConfig::default() }).await;
    let mut stream = TcpStream::connect(sim.addr()).await.unwrap();
    stream
        .write_all(b"POST /cgi-bin/nothing HTTP/1.1\r\nHost: sim\r\nContent-Length: 0\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.contains("connection: close"), "{answer}");
}

#[tokio::test]
async fn it_serves_tls_with_the_given_certificate() {
    let certificate = Certificate::new();
    let sim = start_with(SimConfig { tls: Some(certificate.files.clone()), ..SimConfig::default() }).await;
    assert!(sim.url().starts_with("https://"));
    let connector = certificate.connector();
    let ask = async || {
        let stream = TcpStream::connect(sim.addr()).await?;
        let stream = connector.connect(ServerName::try_from("localhost").unwrap(), stream).await?;
        exchange(stream, "POST", Endpoint::ComponentToken.path(), "", &mint_body(&sim).to_string()).await
    };
    assert_eq!(ask().await.unwrap().errcode(), None);
    sim.inject(Fault::new(FaultKind::ResetAfter));
    assert!(ask().await.is_err());
    assert_eq!(sim.tokens_minted(), 2);
}

#[tokio::test]
async fn a_missing_certificate_is_named() {
    let files = TlsFiles { cert_pem: "no-such-cert.pem".into(), key_pem: "no-such-key.pem".into() };
    let error = Sim::start(SimConfig { tls: Some(files), ..SimConfig::default() }).await.unwrap_err();
    assert!(error.to_string().contains("no-such-cert.pem"), "{error}");
}
