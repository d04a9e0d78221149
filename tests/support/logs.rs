//! Everything the tested code logs goes to `target/test-logs`, where `make test` searches it for
//! secrets after the suite.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, Once};

use tracing_subscriber::fmt::format::FmtSpan;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A new log file.
pub fn file(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-logs");
    std::fs::create_dir_all(&folder).unwrap();
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    folder.join(format!("{name}-{}-{number}.log", std::process::id()))
}

/// Logs what runs in this process, at the finest level and with every span. A second call changes nothing.
pub fn start() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        let file = std::fs::File::create(file("in-process")).unwrap();
        tracing_subscriber::fmt()
            .json()
            .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
            .with_span_events(FmtSpan::NEW | FmtSpan::CLOSE)
            .with_writer(Mutex::new(file))
            .init();
    });
}
