//! The bare relay: what comes in goes out to everybody, one write per piece and viewer. Nothing is numbered, checked or
//! allowed, and nothing is kept, unless it is told to put each piece on the disk first.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::rc::Rc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::pipe::Receiver;
use tokio::net::{TcpListener, TcpStream};

use super::frames;

/// Reads standard input, a pipe, to its end. The port is written into a file. With a `log` nobody sees what a power cut
/// could still take.
pub(crate) async fn relay(port_file: &str, log: Option<&str>) -> io::Result<()> {
    let log = log.map(File::create).transpose()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    std::fs::write(port_file, listener.local_addr()?.port().to_string())?;
    let viewers: Rc<RefCell<Vec<TcpStream>>> = Rc::default();
    let joined = Rc::clone(&viewers);
    tokio::task::LocalSet::new()
        .run_until(async move {
            tokio::task::spawn_local(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    if let Ok(stream) = welcome(stream).await {
                        joined.borrow_mut().push(stream);
                    }
                }
            });
            hand_out(&viewers, log).await
        })
        .await
}

async fn welcome(mut stream: TcpStream) -> io::Result<TcpStream> {
    stream.set_nodelay(true)?;
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut request).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    stream
        .write_all(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
        .await?;
    Ok(stream)
}

async fn hand_out(viewers: &RefCell<Vec<TcpStream>>, mut log: Option<File>) -> io::Result<()> {
    let mut input = Receiver::from_owned_fd(io::stdin().as_fd().try_clone_to_owned()?)?;
    let (mut read, mut out) = (Vec::new(), Vec::new());
    while input.read_buf(&mut read).await? > 0 {
        let Some(end) = read.iter().rposition(|&byte| byte == b'\n') else {
            continue;
        };
        if let Some(log) = &mut log {
            log.write_all(&read[..=end])?;
            log.sync_data()?;
        }
        out.clear();
        read[..end]
            .split(|&byte| byte == b'\n')
            .for_each(|line| frames::text(line, &mut out));
        read.drain(..=end);
        // Taken out, so that newcomers do not wait behind a write.
        let mut all = viewers.take();
        for viewer in &mut all {
            // One that has left is no reason to stop.
            let _ = viewer.write_all(&out).await;
        }
        viewers.borrow_mut().append(&mut all);
    }
    Ok(())
}
