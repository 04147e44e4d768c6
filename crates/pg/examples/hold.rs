//! Starts a cluster, says so, and holds it until standard input ends. Tests kill this program to
//! see what becomes of the server; by hand it is the smallest way to a private server:
//! `cargo run -p pg --example hold -- /tmp/my-cluster [folder of the server's programs]`.

use std::io::Read as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let Some(dir) = arguments.next() else {
        eprintln!("usage: hold DIR [BIN]");
        return ExitCode::from(2);
    };
    let mut options = pg::Options::new(dir);
    options.bin = arguments.next().map(Into::into);
    options.progress = Box::new(|line| eprintln!("{line}"));
    match hold(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn hold(options: pg::Options) -> Result<(), pg::Error> {
    let cluster = pg::Cluster::start(options)?;
    println!(
        "{} {}",
        cluster.pid(),
        cluster.url(cluster.superuser(), "postgres")
    );
    std::io::stdin().read_to_end(&mut Vec::new()).ok();
    cluster.stop()
}
