//! `wechat-sim` on its own: starts the simulator from flags and runs until SIGINT or SIGTERM.

mod cli;

use std::process::ExitCode;

use clap::Parser;
use wechat_sim::Sim;

#[tokio::main]
async fn main() -> ExitCode {
    match run(cli::Cli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wechat-sim: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: cli::Cli) -> Result<(), String> {
    let config = cli.into_config()?;
    let listen = config.listen;
    let sim = Sim::start(config).await.map_err(|error| format!("{listen}: {error}"))?;
    println!("{}", cli::greeting(&sim.url(), sim.config()));
    told_to_stop().await.map_err(|error| error.to_string())?;
    sim.stop().await;
    println!("wechat-sim stopped");
    Ok(())
}

/// Returns on SIGINT or SIGTERM.
#[cfg(unix)]
async fn told_to_stop() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        interrupted = tokio::signal::ctrl_c() => interrupted,
    }
}

/// Returns on Ctrl-C.
#[cfg(not(unix))]
async fn told_to_stop() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}
