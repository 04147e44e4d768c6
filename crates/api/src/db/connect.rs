//! One connection to the server: its socket, its encryption, and the tap that lets rows in by COPY.

use super::tap::{Lane, Tap};
use diesel::result::{ConnectionError, ConnectionResult};
use diesel_async::AsyncPgConnection;
use diesel_async::pooled_connection::PoolableConnection;
use futures_util::future::BoxFuture;
use std::io;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_postgres::Config;
use tokio_postgres::config::Host;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};

/// A connection: diesel's, and a side door for COPY in the same session and transaction.
pub struct Conn {
    diesel: AsyncPgConnection,
    lane: Lane,
}

impl Conn {
    /// Where a copy is laid before its statement is sent.
    pub(super) fn with_lane(&mut self) -> (&mut AsyncPgConnection, &Lane) {
        (&mut self.diesel, &self.lane)
    }

    /// Without the side door.
    pub(super) fn into_plain(self) -> AsyncPgConnection {
        self.diesel
    }
}

impl Deref for Conn {
    type Target = AsyncPgConnection;

    fn deref(&self) -> &Self::Target {
        &self.diesel
    }
}

impl DerefMut for Conn {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.diesel
    }
}

impl PoolableConnection for Conn {
    fn is_broken(&mut self) -> bool {
        self.diesel.is_broken()
    }
}

impl std::fmt::Debug for Conn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Conn").finish_non_exhaustive()
    }
}

/// A connection of one's own, outside the pool. Hosts are tried in the order of the address.
pub(super) async fn establish(url: &str) -> ConnectionResult<Conn> {
    let config: Config = url.parse().map_err(|e| bad(&e))?;
    let mut failed = None;
    for place in places(&config) {
        match login(&config, &place).await {
            Ok(conn) => return Ok(conn),
            Err(error) => failed = Some(error),
        }
    }
    Err(failed.unwrap_or_else(|| ConnectionError::BadConnection("the address names no host".to_owned())))
}

fn bad(error: &(dyn std::error::Error + 'static)) -> ConnectionError {
    ConnectionError::BadConnection(crate::error::chain(error))
}

/// Where a server may be.
struct Place {
    host: Host,
    /// What its certificate must name.
    name: Option<String>,
    port: u16,
}

/// As libpq reads an address: `hostaddr` is where to go, `host` then only the name in the certificate.
fn places(config: &Config) -> Vec<Place> {
    let (hosts, addresses, ports) = (config.get_hosts(), config.get_hostaddrs(), config.get_ports());
    let place = |i: usize| {
        let host = hosts.get(i);
        let name = match host {
            Some(Host::Tcp(name)) => Some(name.clone()),
            _ => None,
        };
        let address = addresses.get(i).map(|ip| Host::Tcp(ip.to_string()));
        Some(Place {
            host: address.or_else(|| host.cloned())?,
            name,
            port: ports.get(i).or(ports.first()).copied().unwrap_or(5432),
        })
    };
    (0..hosts.len().max(addresses.len())).filter_map(place).collect()
}

async fn login(config: &Config, place: &Place) -> ConnectionResult<Conn> {
    let socket = in_time(config, place).await.map_err(|e| bad(&e))?;
    let lane = Lane::default();
    let name = place.name.as_deref().unwrap_or_default();
    let tls = MakeTlsConnect::<Socket>::make_tls_connect(&mut super::tls::connector(), name)
        .map_err(|e| bad(&e))?;
    let (client, connection) = config
        .connect_raw(Tap::new(socket, lane.clone()), Tapped(tls))
        .await
        .map_err(|e| bad(&e))?;
    lane.open();
    // It ends with the client; what went wrong is what the client's next statement says.
    tokio::spawn(connection);
    let diesel = AsyncPgConnection::try_from(client).await?;
    Ok(Conn { diesel, lane })
}

async fn in_time(config: &Config, place: &Place) -> io::Result<Socket> {
    match config.get_connect_timeout() {
        Some(limit) => tokio::time::timeout(*limit, reach(config, place))
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())),
        None => reach(config, place).await,
    }
}

/// A socket of either kind. No trait object: the compiler does not see that futures over one may be sent.
#[derive(Debug)]
enum Socket {
    Unix(UnixStream),
    Tcp(TcpStream),
}

/// The same for either kind of socket.
macro_rules! either {
    ($socket:expr, $inner:ident => $what:expr) => {
        match $socket.get_mut() {
            Socket::Unix($inner) => $what,
            Socket::Tcp($inner) => $what,
        }
    };
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        either!(self, socket => Pin::new(socket).poll_read(cx, buf))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        either!(self, socket => Pin::new(socket).poll_write(cx, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, socket => Pin::new(socket).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, socket => Pin::new(socket).poll_shutdown(cx))
    }
}

async fn reach(config: &Config, place: &Place) -> io::Result<Socket> {
    match &place.host {
        Host::Unix(folder) => {
            let path = folder.join(format!(".s.PGSQL.{}", place.port));
            Ok(Socket::Unix(UnixStream::connect(path).await?))
        }
        Host::Tcp(host) => {
            let stream = TcpStream::connect((host.as_str(), place.port)).await?;
            stream.set_nodelay(true)?;
            keep_alive(config, &stream)?;
            Ok(Socket::Tcp(stream))
        }
    }
}

/// A server that is gone without a word is noticed.
fn keep_alive(config: &Config, stream: &TcpStream) -> io::Result<()> {
    if !config.get_keepalives() {
        return Ok(());
    }
    let mut how = socket2::TcpKeepalive::new().with_time(config.get_keepalives_idle());
    if let Some(interval) = config.get_keepalives_interval() {
        how = how.with_interval(interval);
    }
    if let Some(retries) = config.get_keepalives_retries() {
        how = how.with_retries(retries);
    }
    socket2::SockRef::from(stream).set_tcp_keepalive(&how)
}

/// Encryption below the tap, which has to see messages.
struct Tapped<T>(T);

impl<S, T> TlsConnect<Tap<S>> for Tapped<T>
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: TlsConnect<S>,
    T::Future: Send + 'static,
{
    type Stream = Tap<T::Stream>;
    type Error = T::Error;
    type Future = BoxFuture<'static, Result<Self::Stream, Self::Error>>;

    fn connect(self, tap: Tap<S>) -> Self::Future {
        let (socket, lane) = tap.into_parts();
        let encrypted = self.0.connect(socket);
        Box::pin(async move { Ok(Tap::new(encrypted.await?, lane)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_libpq_does() {
        let read = |text: &str| {
            let config: Config = text.parse().unwrap();
            let told = |p: Place| (p.host, p.name, p.port);
            places(&config).into_iter().map(told).collect::<Vec<_>>()
        };
        let tcp = |host: &str| Host::Tcp(host.to_owned());
        assert_eq!(
            read("host=a,b port=1,2"),
            [
                (tcp("a"), Some("a".to_owned()), 1),
                (tcp("b"), Some("b".to_owned()), 2)
            ]
        );
        assert_eq!(
            read("host=db.example hostaddr=10.0.0.1"),
            [(tcp("10.0.0.1"), Some("db.example".to_owned()), 5432)]
        );
        assert_eq!(
            read("host=/run/pg port=7"),
            [(Host::Unix("/run/pg".into()), None, 7)]
        );
    }
}
