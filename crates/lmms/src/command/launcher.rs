//! The program in front of the CLI's own arguments: Python, the driver, accelerate.

use super::flags;
use super::{BenchmarkCommand, CommandError, Isolation, Launch, PlanInput, Process};

/// Groups the benchmarks into processes and puts the launcher before each.
pub(super) fn processes(
    input: &PlanInput,
    commands: Vec<BenchmarkCommand>,
) -> Result<Vec<Process>, CommandError> {
    let prefix = prefix(input)?;
    Ok(match input.isolation {
        Isolation::ModelOnce => vec![driver(prefix, commands)],
        Isolation::ProcessPerBenchmark => commands
            .into_iter()
            .map(|command| plain(prefix.clone(), command))
            .collect(),
    })
}

fn driver(mut argv: Vec<String>, benchmarks: Vec<BenchmarkCommand>) -> Process {
    argv.extend(["driver.py".to_owned(), "job.json".to_owned()]);
    Process { argv, benchmarks }
}

fn plain(mut argv: Vec<String>, command: BenchmarkCommand) -> Process {
    argv.extend(["-m".to_owned(), "lmms_eval".to_owned()]);
    argv.extend_from_slice(&command.argv);
    Process {
        argv,
        benchmarks: vec![command],
    }
}

/// `accelerate launch --num_processes 1` does not set `WORLD_SIZE` and breaks, so one GPU is
/// always plain. Precision and dynamo are named because accelerate would otherwise read them
/// from a file in the user's home.
fn prefix(input: &PlanInput) -> Result<Vec<String>, CommandError> {
    let python = flags::argument("python", &input.python, "the path of a Python interpreter")?;
    let mut argv = vec![python.to_owned()];
    if input.launch == Launch::Accelerate && input.gpus > 1 {
        argv.extend(["-m", "accelerate.commands.launch", "--multi_gpu"].map(str::to_owned));
        argv.extend(["--num_machines", "1", "--num_processes"].map(str::to_owned));
        argv.push(input.gpus.to_string());
        argv.extend(["--main_process_port", "0"].map(str::to_owned));
        argv.extend(["--mixed_precision", "no", "--dynamo_backend", "no"].map(str::to_owned));
    }
    Ok(argv)
}
