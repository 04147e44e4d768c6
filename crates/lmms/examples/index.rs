//! Lists an installation's tasks without Python: `index SITE-PACKAGES`. One name a line, sorted, the time on stderr.

use std::path::Path;
use std::time::Instant;

use lmms::catalogue::{Source, TaskRoot, index, tasks_dir};

fn main() {
    let Some(packages) = std::env::args_os().nth(1) else {
        eprintln!("expected the path of site-packages");
        std::process::exit(2);
    };
    let path = tasks_dir(&Path::new(&packages).join("lmms_eval"));
    let start = Instant::now();
    let catalogue = index(&[TaskRoot {
        path,
        source: Source::Installed,
    }]);
    eprintln!("{:.3}", start.elapsed().as_secs_f64());
    for entry in &catalogue.entries {
        println!("{}", entry.name);
    }
}
