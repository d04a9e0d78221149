//! An endpoint that accepts connections and never answers.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Lives as long as the test process.
pub struct Hanging {
    pub url: String,
    connections: Arc<AtomicUsize>,
}

impl Hanging {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let connections = Arc::new(AtomicUsize::new(0));
        let counter = connections.clone();
        std::thread::spawn(move || {
            // Kept, because a dropped connection would be an answer.
            let mut open = Vec::new();
            for connection in listener.incoming() {
                counter.fetch_add(1, Ordering::Relaxed);
                open.push(connection);
            }
        });
        Self { url, connections }
    }

    /// How many connections it has accepted.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}
