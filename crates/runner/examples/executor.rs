//! The smallest program that can execute an attempt: `executor exec --attempt-dir D`.
//! The integration tests start it where the product starts `lmms-dash`.

use std::{env, path::PathBuf, process::ExitCode};

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args_os().skip(1).collect();
    match arguments.as_slice() {
        [exec, flag, dir] if exec == "exec" && flag == "--attempt-dir" => {
            runner::exec::main(&PathBuf::from(dir))
        }
        _ => {
            eprintln!("usage: executor exec --attempt-dir DIR");
            ExitCode::from(2)
        }
    }
}
