//! The address to listen on.

use crate::config::Config;
use anyhow::bail;
use std::io::ErrorKind;
use std::net::TcpListener;

/// The embedded sign-in over plain HTTP is for this machine alone, unless somebody says otherwise.
pub(super) fn check_exposure(config: &Config) -> anyhow::Result<()> {
    let listen = config.server.listen;
    if listen.ip().is_loopback() || config.server.unsafe_listen || config.auth.supabase_url.is_some() {
        return Ok(());
    }
    bail!(
        "`LMMS_LISTEN` is `{listen}`, which other machines can reach, and sign-in would be unprotected; \
         expected a loopback address behind a TLS proxy, `SUPABASE_URL` for hosted sign-in, or `--unsafe-listen`"
    )
}

/// Takes the port.
pub(super) fn bind(config: &Config) -> anyhow::Result<TcpListener> {
    let listen = config.server.listen;
    let listener = TcpListener::bind(listen).map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => anyhow::anyhow!(
            "port {} on {} is in use by another program; stop it, or choose another with `--listen {}:PORT`",
            listen.port(),
            listen.ip(),
            listen.ip()
        ),
        ErrorKind::PermissionDenied => anyhow::anyhow!(
            "port {} may not be used by this user; expected one from 1024 up",
            listen.port()
        ),
        ErrorKind::AddrNotAvailable => anyhow::anyhow!("`{}` is no address of this machine", listen.ip()),
        _ => anyhow::Error::new(error).context(format!("`{listen}` cannot be listened on")),
    })?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}
