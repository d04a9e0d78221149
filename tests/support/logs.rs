//! Everything the tested code logs goes to `target/test-logs`, where `make test` searches it for
//! secrets after the suite.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, Once};

use tracing_subscriber::util::SubscriberInitExt as _;
use wechat_preauth::telemetry::log::subscriber;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A new log file.
pub fn file(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-logs");
    std::fs::create_dir_all(&folder).unwrap();
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    folder.join(format!("{name}-{}-{number}.log", std::process::id()))
}

/// Logs what runs in this process as the functions do, at the finest level. A second call changes
/// nothing.
pub fn start() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        let file = std::fs::File::create(file("in-process")).unwrap();
        subscriber(Some("TRACE"), None, Mutex::new(file)).init();
    });
}
