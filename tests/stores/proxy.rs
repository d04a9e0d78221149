//! A proxy before moto's DynamoDB that counts requests, loses answers and throttles.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::{RetryConfig, RetryPartition};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use uuid::Uuid;
use wechat_preauth::aws::DynamoDbState;
use wechat_preauth::aws::clients::RECONNECT;

use crate::support::moto::Moto;

/// What becomes of one request.
pub enum Fate {
    /// It is forwarded, and its answer comes back.
    Answered,
    /// It is forwarded, and its answer is lost.
    AnswerLost,
    /// It is refused as DynamoDB refuses too many requests.
    Throttled,
    /// It meets a fault of DynamoDB's.
    Failed,
}

const THROTTLED: &str = r#"{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"too much"}"#;

/// Decides by the operation's name and how many requests came before.
type Decide = dyn Fn(&str, usize) -> Fate + Send + Sync;

pub struct Proxy {
    url: String,
    seen: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Proxy {
    pub async fn start(moto: &Moto, decide: impl Fn(&str, usize) -> Fate + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let upstream = moto.url.strip_prefix("http://").unwrap().to_owned();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (decide, requests): (Arc<Decide>, _) = (Arc::new(decide), seen.clone());
        let task = tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let (upstream, decide, requests) = (upstream.clone(), decide.clone(), requests.clone());
                tokio::spawn(async move { serve(client, &upstream, &*decide, &requests).await });
            }
        });
        Self { url, seen, task }
    }

    /// A store of its own that reaches the table through the proxy. Like another environment of Lambda, it
    /// shares no budget for retries with other stores.
    pub fn store(&self, moto: &Moto, table: &str) -> DynamoDbState {
        let config = aws_sdk_dynamodb::config::Builder::from(&moto.sdk_config())
            .endpoint_url(&self.url)
            .retry_config(
                RetryConfig::standard()
                    .with_initial_backoff(Duration::from_millis(10))
                    .with_reconnect_mode(RECONNECT),
            )
            .retry_partition(RetryPartition::new(Uuid::new_v4().to_string()))
            .build();
        DynamoDbState::new(Client::from_conf(config), table.to_owned())
    }

    /// The operations requested since the last call.
    pub fn take_seen(&self) -> Vec<String> {
        std::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Serves one connection, which holds one request. A client that leaves early is no failure of the test.
async fn serve(mut client: TcpStream, upstream: &str, decide: &Decide, seen: &Mutex<Vec<String>>) {
    let Some(request) = message(&mut client).await else { return };
    let head = String::from_utf8_lossy(&request).to_lowercase();
    let operation = header(&head, "x-amz-target").unwrap().rsplit('.').next().unwrap().to_owned();
    let before = {
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.push(operation.clone());
        seen.len() - 1
    };
    let fate = decide(&operation, before);
    let answer = if let Fate::Failed = fate {
        b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}".to_vec()
    } else if let Fate::Throttled = fate {
        let head =
            "HTTP/1.1 400 Bad Request\r\ncontent-type: application/x-amz-json-1.0\r\nconnection: close";
        format!("{head}\r\ncontent-length: {}\r\n\r\n{THROTTLED}", THROTTLED.len()).into_bytes()
    } else {
        let mut server = TcpStream::connect(upstream).await.unwrap();
        server.write_all(&request).await.unwrap();
        message(&mut server).await.unwrap()
    };
    if !matches!(fate, Fate::AnswerLost) {
        let _ = client.write_all(&answer).await;
    }
    let _ = client.shutdown().await;
}

/// One HTTP message with a `Content-Length`; none when the other side leaves first.
async fn message(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
            let length: usize = header(&head, "content-length").map_or(0, |length| length.parse().unwrap());
            if bytes.len() >= end + 4 + length {
                return Some(bytes);
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':').map(str::trim))
}
