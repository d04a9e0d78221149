//! The whole service on this machine: the very handlers that Lambda runs, against the simulator, with
//! credentials, state and events in memory. No account anywhere.
//!
//! `make run` starts it, shows how a code comes about, and goes on serving; `make run ONCE=1` ends
//! after the first code.

mod parts;
mod serve;
mod tell;

use std::sync::Arc;

use parts::Parts;

type Error = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let once = std::env::args().any(|argument| argument == "--once");
    tell::start_log();
    let parts = Arc::new(Parts::start(once).await?);
    let service = serve::listen(parts.clone(), once).await?;
    tell::started(&parts, &service);

    let pushed = tell::ticket_push(&parts, &service).await?;
    let issued = tell::first_code(&service).await?;
    if once {
        return if pushed && issued { Ok(()) } else { Err("no code was issued".into()) };
    }
    tell::what_to_try(&parts, &service);
    tokio::select! {
        () = parts.keep_fresh() => Ok(()),
        interrupted = tokio::signal::ctrl_c() => Ok(interrupted?),
    }
}
