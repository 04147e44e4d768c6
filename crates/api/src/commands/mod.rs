//! The commands of `lmms-dash`, other than `exec`.

mod database;
mod doctor;
mod import;
mod listen;
mod logging;
mod ready;
mod server;
mod token;

use crate::cli::{Command, CommonArgs, ServeArgs, TokenCommand, UpArgs};
use crate::config::Config;
use crate::error::chain;
use anyhow::Context;
use std::process::ExitCode;
use std::sync::Arc;

/// Runs a command to its end.
pub fn run(command: Command) -> ExitCode {
    // The key exchange of outgoing TLS; a second call in the same process is harmless.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match dispatch(command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {}", chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

fn dispatch(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Up(args) => up(&args),
        Command::Serve(args) => serve(&args),
        Command::Work(args) => work(&args),
        Command::Migrate(args) => migrate(&args),
        Command::Doctor(args) => doctor::run(&*load(&args, args.settings())?),
        Command::Openapi => {
            print!("{}", crate::openapi::pretty()?);
            Ok(ExitCode::SUCCESS)
        }
        Command::Import(args) if args.check => import::check(&args),
        Command::Import(args) => {
            let config = load(&args.common, args.common.settings())?;
            import::run(&config, &args)
        }
        Command::Token(TokenCommand::Create(args)) => {
            let config = load(&args.common, args.common.settings())?;
            token::run(&config, &args)
        }
        Command::Exec(_) => anyhow::bail!("`exec` is handled before anything else"),
    }
}

fn load(common: &CommonArgs, settings: Vec<(String, String)>) -> anyhow::Result<Arc<Config>> {
    Ok(Arc::new(Config::load(settings, common.config.as_deref())?))
}

fn runtime(config: &Config) -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(config.server.threads.max(2))
        .enable_all()
        .build()
        .context("the runtime cannot be started")
}

fn up(args: &UpArgs) -> anyhow::Result<ExitCode> {
    let config = load(&args.serve.common, args.settings())?;
    logging::init(&config);
    listen::check_exposure(&config)?;
    // Bound before anything slow, so that a port in use is said at once.
    let listener = listen::bind(&config)?;
    database::prepare_folder(&config)?;
    let runtime = runtime(&config)?;
    // From the main thread: the cluster ends with the thread that started it.
    let database = database::open(&config)?;
    let outcome = runtime.block_on(async {
        database.migrate().await?;
        let parts = server::Parts {
            serve: true,
            work: true,
        };
        server::run(
            config.clone(),
            &database,
            Some(listener),
            parts,
            args.serve.ready_file.as_deref(),
        )
        .await
    });
    runtime.shutdown_timeout(config.server.drain);
    database.close();
    outcome.map(|()| ExitCode::SUCCESS)
}

fn serve(args: &ServeArgs) -> anyhow::Result<ExitCode> {
    let config = load(&args.common, args.settings())?;
    logging::init(&config);
    listen::check_exposure(&config)?;
    let listener = listen::bind(&config)?;
    database::prepare_folder(&config)?;
    let database = database::external(&config)?;
    let parts = server::Parts {
        serve: true,
        work: false,
    };
    runtime(&config)?.block_on(server::run(
        config.clone(),
        &database,
        Some(listener),
        parts,
        args.ready_file.as_deref(),
    ))?;
    Ok(ExitCode::SUCCESS)
}

fn work(args: &CommonArgs) -> anyhow::Result<ExitCode> {
    let config = load(args, args.settings())?;
    logging::init(&config);
    database::prepare_folder(&config)?;
    let database = database::external(&config)?;
    let parts = server::Parts {
        serve: false,
        work: true,
    };
    runtime(&config)?.block_on(server::run(config.clone(), &database, None, parts, None))?;
    Ok(ExitCode::SUCCESS)
}

fn migrate(args: &CommonArgs) -> anyhow::Result<ExitCode> {
    let config = load(args, args.settings())?;
    logging::init(&config);
    database::prepare_folder(&config)?;
    let database = database::open(&config)?;
    let outcome = runtime(&config)?.block_on(database.migrate());
    database.close();
    outcome?;
    println!("the database is up to date");
    Ok(ExitCode::SUCCESS)
}
