//! The program `wechat-sim`: starts the simulator from its arguments and runs until SIGINT or SIGTERM.

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

async fn run(cli: cli::Cli) -> std::io::Result<()> {
    let sim = Sim::start(cli.into_config()?).await?;
    println!("{}", cli::greeting(&sim.url(), sim.config()));
    stop_signal().await?;
    sim.stop().await;
    println!("wechat-sim stopped");
    Ok(())
}

/// Returns on SIGINT or SIGTERM.
#[cfg(unix)]
async fn stop_signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        interrupted = tokio::signal::ctrl_c() => interrupted,
    }
}

/// Returns on Ctrl-C.
#[cfg(not(unix))]
async fn stop_signal() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}
