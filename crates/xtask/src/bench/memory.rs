//! P11: what a viewer costs who only looks.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result};

use super::Effort;
use super::comparison::{Comparison, Round, Target, wait_for};
use super::machine::{Core, kept, pinned, with_many_files};
use super::product::Running;
use super::stage::Stage;
use super::viewers::{Viewers, load};

/// After the last one is in, until nothing moves any more.
const REST: Duration = Duration::from_secs(2);

/// Kilobytes of the server for each idle viewer, against those of a relay.
pub(super) fn viewers(effort: &Effort) -> Result<Comparison> {
    let (stage, load) = (Stage::new("viewers", &[])?, load()?);
    stage.child("exec sleep 3600")?;
    let id = stage.create()?;
    let (path, product) = (format!("/ws/runs/{id}"), &stage.product);
    let each = |pid: u32, address: &str, path: &str| -> Result<f64> {
        let before = kept(pid);
        let viewers = Viewers::join(&load, address, path, &product.token, effort.idle_viewers, 0)?;
        std::thread::sleep(REST);
        let held = kept(pid) - before;
        drop(viewers);
        Ok(held / effort.idle_viewers as f64 / 1e3)
    };
    let reference = {
        let port = stage.folder.path().join("port");
        let mut relay = with_many_files(&pinned(Core::Server, &load))
            .arg("relay")
            .arg(&port)
            .stdin(Stdio::piped())
            .spawn()?;
        // Open, but silent.
        let _silence = relay.stdin.take().context("the relay's input is a pipe")?;
        let relay = Running(relay);
        let address = || fs::read_to_string(&port).ok().filter(|port| !port.is_empty());
        wait_for("the relay", Duration::from_secs(20), || address().is_some())?;
        each(
            relay.0.id(),
            &format!("127.0.0.1:{}", address().unwrap_or_default()),
            "/",
        )?
    };
    let ours = each(product.pid(), &product.address, &path)?;
    stage.cancel(&id)?;
    Ok(Comparison {
        id: "P11",
        name: format!(
            "server's memory for an idle viewer, {} of them",
            effort.idle_viewers
        ),
        unit: "kB",
        reference: "bare relay",
        target: Target::AtMost(20.0),
        rounds: vec![Round { reference, ours }],
        notes: Vec::new(),
    })
}
