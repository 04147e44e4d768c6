//! The managed Python environment with lmms-eval, in `<data-dir>/python`.
//!
//! Each environment has a folder of its own, named by what is in it, and counts once its `.complete` marker is
//! written; `current` points at the newest. An environment is never changed in place, since a run may be using it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::process::{apt_install, can_apt, is_root, read, run, say, which};
use crate::workspace::root;

/// The version that the parsers and the driver are tested with.
const VERSION: &str = "0.7.3";
/// Every package of the full installation, pinned.
const PINS: &str = include_str!("../python/requirements.txt");
const STUBS: &str = include_str!("../python/stub_cuda.py");

#[derive(clap::Args, Clone, Debug)]
pub(crate) struct PythonOptions {
    /// Where the product keeps its data; the environment goes into its folder python/
    #[arg(long, env = "LMMS_DATA_DIR", default_value_os_t = default_data_dir())]
    pub(crate) data_dir: PathBuf,
    /// lite leaves out the CUDA libraries (2.4 GB instead of 6.4); auto is full with an NVIDIA driver, else lite
    #[arg(long = "python", value_enum, default_value_t = Wanted::Auto)]
    pub(crate) wanted: Wanted,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    Auto,
    Full,
    Lite,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Variant {
    Full,
    Lite,
}

impl Variant {
    fn of(wanted: Wanted) -> Self {
        match wanted {
            Wanted::Full => Self::Full,
            Wanted::Lite => Self::Lite,
            // The stubs stand in for the libraries of the x86-64 Linux wheel alone.
            Wanted::Auto if cfg!(all(target_os = "linux", target_arch = "x86_64")) && !has_nvidia() => {
                Self::Lite
            }
            Wanted::Auto => Self::Full,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Lite => "lite",
        }
    }

    fn cost(self) -> &'static str {
        match self {
            Self::Full => "6.4 GB, some minutes",
            Self::Lite => "2.4 GB, one to five minutes",
        }
    }

    /// The requirements file: with `--no-deps` nothing but these lines is installed.
    fn requirements(self) -> String {
        let cuda = |line: &&str| {
            ["nvidia-", "cuda-", "triton"]
                .iter()
                .any(|name| line.starts_with(name))
        };
        PINS.lines()
            .filter(|line| self == Self::Full || !cuda(line))
            .map(|line| format!("{line}\n"))
            .collect()
    }
}

/// `data/` in the checkout. PostgreSQL refuses to run as root and gives up its rights, so root's data must not lie in
/// a folder that is closed to others.
fn default_data_dir() -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let root = root();
    let open = |folder: &Path| {
        folder
            .metadata()
            .is_ok_and(|meta| meta.permissions().mode() & 0o001 != 0)
    };
    if is_root() && !root.ancestors().all(open) {
        PathBuf::from("/var/lib/lmms-dash")
    } else {
        root.join("data")
    }
}

/// The interpreter of an environment that can import lmms-eval: the configured one, the one already made, or a new one.
pub(crate) fn ensure(options: &PythonOptions) -> Result<PathBuf> {
    if let Some(configured) = std::env::var_os("LMMS_EVAL_PYTHON").filter(|value| !value.is_empty()) {
        return configured_python(Path::new(&configured));
    }
    let variant = Variant::of(options.wanted);
    let home = std::path::absolute(&options.data_dir)?.join("python");
    if let Some(python) = complete(&home, variant) {
        say(format_args!(
            "lmms-eval {VERSION} ({}) is installed",
            variant.name()
        ));
        return Ok(python);
    }
    fs::create_dir_all(&home).with_context(|| format!("cannot make `{}`", home.display()))?;
    let lock = File::create(home.join(".lock"))?;
    if lock.try_lock().is_err() {
        say("waiting for another installation of the Python environment");
        lock.lock()?;
    }
    match complete(&home, variant) {
        Some(python) => Ok(python),
        None => install(&home, variant),
    }
}

fn configured_python(python: &Path) -> Result<PathBuf> {
    let code = "import importlib.metadata as m; print(m.version('lmms-eval'))";
    let version = read(Command::new(python).args(["-c", code])).with_context(|| {
        format!(
            "`LMMS_EVAL_PYTHON` is `{}`, which has no lmms-eval",
            python.display()
        )
    })?;
    say(format_args!("using lmms-eval {version} of {}", python.display()));
    Ok(python.to_owned())
}

fn has_nvidia() -> bool {
    Path::new("/proc/driver/nvidia/version").exists() || which("nvidia-smi").is_some()
}

/// What an environment of this variant is called, without the version of Python.
fn prefix(variant: Variant) -> String {
    let content = Sha256::digest(format!("{}{STUBS}", variant.requirements()));
    let hash: String = content.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("lmms-eval-{VERSION}-{}-{hash}", variant.name())
}

fn complete(home: &Path, variant: Variant) -> Option<PathBuf> {
    let prefix = prefix(variant);
    let mut folders: Vec<PathBuf> = fs::read_dir(home)
        .ok()?
        .flatten()
        .map(|entry| entry.path())
        .collect();
    folders.sort();
    let ours = |folder: &PathBuf| {
        folder
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with(&prefix))
    };
    folders
        .into_iter()
        .filter(ours)
        .find(|folder| folder.join(".complete").exists())
        .map(|f| interpreter(&f))
}

fn interpreter(folder: &Path) -> PathBuf {
    folder.join("bin/python")
}

fn install(home: &Path, variant: Variant) -> Result<PathBuf> {
    let start = Instant::now();
    let base = find_python(home)?;
    let uv = uv(home, &base.program)?;
    let folder = home.join(format!("{}-py3{}", prefix(variant), base.minor));
    say(format_args!(
        "installing lmms-eval {VERSION}, {} ({}), with {base}",
        variant.name(),
        variant.cost()
    ));
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fill(&folder, variant, &base, &uv)?;
    say("checking that it can be imported (torch and transformers take ten seconds)");
    let python = interpreter(&folder);
    let code = "import torch, transformers, lmms_eval, lmms_eval.__main__";
    read(
        Command::new(&python)
            .args(["-c", code])
            .env("HF_HUB_OFFLINE", "1"),
    )
    .context("the new environment cannot import lmms-eval")?;
    fs::write(folder.join(".complete"), format!("{VERSION}\n"))?;
    point_current_at(home, &folder)?;
    say(format_args!(
        "lmms-eval {VERSION} is in {} ({:.0} s)",
        folder.display(),
        start.elapsed().as_secs_f32()
    ));
    Ok(python)
}

fn fill(folder: &Path, variant: Variant, base: &Base, uv: &Path) -> Result<()> {
    let uv = || {
        let mut command = Command::new(uv);
        command.env("UV_PYTHON_DOWNLOADS", "never");
        command
    };
    run(uv()
        .args(["venv", "--quiet", "--python"])
        .arg(&base.program)
        .arg(folder))?;
    let requirements = folder.join("requirements.txt");
    fs::write(&requirements, variant.requirements())?;
    let python = interpreter(folder);
    let mut command = uv();
    command.args(["pip", "install", "--python"]).arg(&python);
    match variant {
        Variant::Lite => run(command.args(["--no-deps", "--requirement"]).arg(&requirements))?,
        Variant::Full => run(command
            .arg(format!("lmms-eval=={VERSION}"))
            .arg("--constraint")
            .arg(&requirements))?,
    }
    if variant == Variant::Lite {
        stub_cuda(&python, folder)?;
    }
    Ok(())
}

/// torch's wheel asks for the CUDA libraries when it is loaded: empty ones do where no device is.
fn stub_cuda(python: &Path, folder: &Path) -> Result<()> {
    if let Some(missing) = ["gcc", "objdump", "nm"]
        .into_iter()
        .find(|tool| which(tool).is_none())
    {
        bail!(
            "the lite installation needs `{missing}` (Debian: gcc and binutils); install it, or choose `--python full`"
        );
    }
    let script = folder.join("stub_cuda.py");
    fs::write(&script, STUBS)?;
    let packages =
        read(Command::new(python).args(["-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]))?;
    read(Command::new(python).arg(&script).arg(packages)).map(drop)
}

/// A symlink that is replaced in one step.
fn point_current_at(home: &Path, folder: &Path) -> Result<()> {
    let fresh = home.join(".current.new");
    let name = folder.file_name().context("an environment has a name")?;
    let _ = fs::remove_file(&fresh);
    std::os::unix::fs::symlink(name, &fresh)?;
    fs::rename(&fresh, home.join("current")).context("cannot point `current` at the new environment")
}

/// An interpreter to make environments with.
struct Base {
    program: PathBuf,
    minor: u32,
}

impl std::fmt::Display for Base {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Python 3.{} ({})", self.minor, self.program.display())
    }
}

/// Python 3.11 to 3.13: from PATH, else one that uv knows of.
fn find_python(home: &Path) -> Result<Base> {
    let names = ["python3.11", "python3.12", "python3.13", "python3", "python"];
    if let Some(base) = names
        .into_iter()
        .filter_map(which)
        .find_map(|program| probe(&program))
    {
        return Ok(base);
    }
    let uv = which("uv")
        .or_else(|| Some(home.join(".uv/bin/uv")))
        .filter(|uv| uv.exists());
    let found =
        uv.and_then(|uv| read(Command::new(uv).args(["python", "find", "--system", ">=3.11,<3.14"])).ok());
    found.and_then(|program| probe(Path::new(&program))).context(
        "lmms-eval needs Python 3.11 to 3.13: none was found on PATH; install one, or set `LMMS_EVAL_PYTHON`",
    )
}

fn probe(program: &Path) -> Option<Base> {
    let code = "import sys; print(sys.version_info[1], sys.executable) if sys.version_info[0] == 3 else 0";
    let answer = read(Command::new(program).args(["-c", code])).ok()?;
    let (minor, path) = answer.split_once(' ')?;
    let minor = minor.parse().ok().filter(|minor| (11..=13).contains(minor))?;
    Some(Base {
        program: path.into(),
        minor,
    })
}

/// uv from PATH, else installed by pip into a small environment of its own.
pub(crate) fn uv(home: &Path, base: &Path) -> Result<PathBuf> {
    let works = |uv: &Path| read(Command::new(uv).arg("--version")).is_ok();
    if let Some(uv) = which("uv").filter(|uv| works(uv)) {
        return Ok(uv);
    }
    let folder = home.join(".uv");
    let uv = folder.join("bin/uv");
    if works(&uv) {
        return Ok(uv);
    }
    say("installing uv, which installs Python packages fast (a few seconds)");
    if run(Command::new(base).args(["-m", "venv", "--clear"]).arg(&folder)).is_err() {
        if !can_apt() {
            bail!(
                "`{} -m venv` fails: install the package python3-venv, or uv",
                base.display()
            );
        }
        apt_install(&["python3-venv"])?;
        run(Command::new(base).args(["-m", "venv", "--clear"]).arg(&folder))?;
    }
    run(Command::new(folder.join("bin/pip")).args([
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "uv",
    ]))?;
    Ok(uv)
}

/// An environment of our own for a tool from PyPI, made once; returns its folder of packages.
pub(crate) fn tool(home: &Path, package: &str) -> Result<PathBuf> {
    let folder = home.join("tools").join(package.replace("==", "-"));
    let site = |python: &Path| {
        read(Command::new(python).args(["-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]))
    };
    if folder.join(".complete").exists() {
        return site(&interpreter(&folder)).map(PathBuf::from);
    }
    fs::create_dir_all(home)?;
    let base = find_python(home)?;
    let uv = uv(home, &base.program)?;
    say(format_args!("installing {package} from PyPI"));
    run(Command::new(&uv)
        .args(["venv", "--quiet", "--clear", "--python"])
        .arg(&base.program)
        .arg(&folder))?;
    run(Command::new(&uv)
        .args(["pip", "install", "--quiet", "--python"])
        .arg(interpreter(&folder))
        .arg(package))?;
    fs::write(folder.join(".complete"), "")?;
    site(&interpreter(&folder)).map(PathBuf::from)
}
