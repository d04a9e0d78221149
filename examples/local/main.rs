//! The whole service on this machine: the handlers that Lambda runs, against the simulator, with credentials, state
//! and events in memory. It needs no account.
//!
//! `make run` starts it, shows how a code is issued, and keeps serving. `make run ONCE=1` ends after the first code.

mod bus;
mod console;
mod serve;
mod stack;
mod time;

use std::sync::Arc;

use stack::Parts;

type Error = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let once = std::env::args().any(|argument| argument == "--once");
    console::start_log();
    let (listener, service) = serve::bind(once).await?;
    let parts = Arc::new(Parts::start(&service, once).await?);
    serve::start(listener, parts.clone());
    console::started(&parts, &service);

    let pushed = console::ticket_push(&parts, &service).await?;
    let issued = console::first_code(&service).await?;
    let linked = console::first_link(&service).await?;
    if once {
        return if pushed && issued && linked.is_some() {
            Ok(())
        } else {
            Err("no code was issued, or no link was made".into())
        };
    }
    console::what_to_try(&parts, &service, linked.as_deref());
    tokio::select! {
        () = parts.keep_fresh() => Ok(()),
        interrupted = tokio::signal::ctrl_c() => Ok(interrupted?),
    }
}
