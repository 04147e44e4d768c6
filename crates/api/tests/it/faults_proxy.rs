//! A line between two parts that a test makes slow, deaf, silent or dead; over TCP or a Unix socket.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What becomes of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    Open,
    /// Each piece takes so long.
    Slow(Duration),
    /// Requests pass, answers do not.
    Deaf,
    /// Half open: nothing passes, and nobody is told.
    Silent,
    /// Connections are reset as soon as they are made.
    Dead,
}

pub(crate) struct Proxy {
    line: watch::Sender<Line>,
    /// Raised to reset all connections.
    cuts: watch::Sender<u64>,
    task: JoinHandle<()>,
}

/// Both ends of a connection.
trait Wire: AsyncRead + AsyncWrite + Unpin + Send + 'static {
    /// Makes the end of it a reset.
    fn reset(&self) {}
}

impl Wire for TcpStream {
    fn reset(&self) {
        let _ = self.set_zero_linger();
    }
}

impl Wire for UnixStream {}

impl Proxy {
    /// A TCP port of its own before the server at `target`, an address like `http://127.0.0.1:80`,
    /// which may change. Returns its own address of that form.
    pub(crate) async fn before(target: watch::Receiver<String>) -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let listener = Arc::new(listener);
        let accept = move || {
            let listener = Arc::clone(&listener);
            async move { Ok(listener.accept().await?.0) }
        };
        let connect = move || TcpStream::connect(target.borrow().trim_start_matches("http://").to_owned());
        (Self::run(accept, connect), address)
    }

    /// A socket in `folder` before the socket `target`, with the same name.
    pub(crate) async fn before_socket(target: PathBuf, folder: &Path) -> Self {
        let listener = UnixListener::bind(folder.join(target.file_name().unwrap())).unwrap();
        let listener = Arc::new(listener);
        let accept = move || {
            let listener = Arc::clone(&listener);
            async move { Ok(listener.accept().await?.0) }
        };
        let connect = move || UnixStream::connect(target.clone());
        Self::run(accept, connect)
    }

    fn run<W: Wire, A, C>(
        accept: impl Fn() -> A + Send + 'static,
        connect: impl Fn() -> C + Send + 'static,
    ) -> Self
    where
        A: Future<Output = io::Result<W>> + Send + 'static,
        C: Future<Output = io::Result<W>> + Send + 'static,
    {
        let (line, cuts) = (watch::Sender::new(Line::Open), watch::Sender::new(0));
        let (state, cut) = (line.subscribe(), cuts.subscribe());
        let listen = async move {
            while let Ok(client) = accept().await {
                let dead = *state.borrow() == Line::Dead;
                match connect().await {
                    Ok(server) if !dead => {
                        tokio::spawn(carry(client, server, state.clone(), cut.clone()));
                    }
                    _ => client.reset(),
                }
            }
        };
        Self {
            line,
            cuts,
            task: tokio::spawn(listen),
        }
    }

    pub(crate) fn set(&self, line: Line) {
        self.line.send_replace(line);
    }

    /// Resets every connection.
    pub(crate) fn cut(&self) {
        self.cuts.send_modify(|n| *n += 1);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
        self.cut();
    }
}

async fn carry<W: Wire>(client: W, server: W, line: watch::Receiver<Line>, mut cut: watch::Receiver<u64>) {
    cut.mark_unchanged();
    let (mut from_client, mut to_client) = split(client);
    let (mut from_server, mut to_server) = split(server);
    let was_cut = {
        let both = async {
            tokio::join!(
                pump(&mut from_client, &mut to_server, line.clone(), |l| l
                    != Line::Silent),
                pump(&mut from_server, &mut to_client, line.clone(), |l| !matches!(
                    l,
                    Line::Silent | Line::Deaf
                )),
            )
        };
        tokio::select! {
            _ = both => false,
            _ = cut.changed() => true,
        }
    };
    if was_cut {
        from_client.unsplit(to_client).reset();
        from_server.unsplit(to_server).reset();
    }
}

async fn pump(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    mut line: watch::Receiver<Line>,
    passes: impl Fn(Line) -> bool,
) {
    let mut piece = vec![0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut piece).await {
        let now = *line.borrow();
        if let Line::Slow(pause) = now {
            tokio::time::sleep(pause).await;
        }
        let closed = line.wait_for(|l| passes(*l)).await.is_err();
        if closed || to.write_all(&piece[..count]).await.is_err() {
            break;
        }
    }
    let _ = to.shutdown().await;
}
