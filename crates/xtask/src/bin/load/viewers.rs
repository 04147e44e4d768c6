//! Many viewers of one run, in one process.

use std::cell::RefCell;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, timeout};

use super::{frames, now};

/// Handshakes at a time.
const JOINING: usize = 32;
/// Viewers from one address: a port is a number of 16 bits, and half of them are for others.
const PER_ADDRESS: usize = 4000;

/// Who looks at what, and for how long.
pub(crate) struct Plan {
    pub(crate) address: String,
    pub(crate) request: Vec<u8>,
    pub(crate) viewers: usize,
    /// Lines that each is to see; 0 to stay until the limit.
    pub(crate) lines: usize,
    pub(crate) limit: Duration,
}

/// What all viewers saw.
#[derive(Default)]
struct Seen {
    joined: usize,
    /// Nanoseconds from the writing of a line to its arrival.
    delays: Vec<u64>,
    complete: usize,
    refused: Vec<String>,
}

/// Connects everybody, says so, waits for the lines or the limit, and prints what was seen.
pub(crate) async fn watch(plan: Plan) -> io::Result<()> {
    let (plan, seen) = (Rc::new(plan), Rc::new(RefCell::new(Seen::default())));
    let (stop, stopped) = watch::channel(());
    let start = Instant::now();
    tokio::task::LocalSet::new()
        .run_until(async {
            let door = Rc::new(Semaphore::new(JOINING));
            let join = |number| {
                let viewer = one(
                    number,
                    Rc::clone(&plan),
                    Rc::clone(&seen),
                    Rc::clone(&door),
                    stopped.clone(),
                );
                tokio::task::spawn_local(viewer)
            };
            let tasks: Vec<_> = (0..plan.viewers).map(join).collect();
            let announce = announce(&plan, &seen);
            let all = async {
                for task in tasks {
                    let _ = task.await;
                }
            };
            tokio::join!(announce, async {
                // What is missing at the limit is what the report tells.
                let _ = timeout(plan.limit, all).await;
            });
        })
        .await;
    drop(stop);
    report(&plan, &seen.borrow(), start.elapsed());
    Ok(())
}

/// Says when everybody is in, or that somebody will never be.
async fn announce(plan: &Plan, seen: &RefCell<Seen>) {
    loop {
        let (joined, refused) = (seen.borrow().joined, seen.borrow().refused.len());
        if joined + refused >= plan.viewers {
            println!("{}", json!({"joined": joined, "refused": refused}));
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn one(
    number: usize,
    plan: Rc<Plan>,
    seen: Rc<RefCell<Seen>>,
    door: Rc<Semaphore>,
    mut stopped: watch::Receiver<()>,
) {
    let joined = {
        let _permit = door.acquire().await;
        join(&plan, number).await
    };
    let (stream, rest) = match joined {
        Ok(joined) => joined,
        Err(error) => {
            seen.borrow_mut().refused.push(error.to_string());
            return;
        }
    };
    seen.borrow_mut().joined += 1;
    tokio::select! {
        outcome = look(&plan, &seen, stream, rest) => match outcome {
            Ok(()) => seen.borrow_mut().complete += 1,
            Err(error) => seen.borrow_mut().refused.push(error.to_string()),
        },
        _ = stopped.changed() => {}
    }
}

/// The open socket, and what came behind the head of the answer.
async fn join(plan: &Plan, number: usize) -> io::Result<(TcpStream, Vec<u8>)> {
    let mut stream = connect(&plan.address, number).await?;
    stream.write_all(&plan.request).await?;
    let mut answer = Vec::new();
    let end = loop {
        if let Some(at) = answer.windows(4).position(|w| w == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(&mut answer).await? == 0 {
            return Err(io::Error::other("the connection ends before it begins"));
        }
    };
    if !answer.starts_with(b"HTTP/1.1 101") {
        let text = String::from_utf8_lossy(&answer).into_owned();
        return Err(io::Error::other(text));
    }
    answer.drain(..end);
    Ok((stream, answer))
}

/// From 127.0.0.1, 127.0.0.2 and so on: on Linux all of them are this machine.
async fn connect(address: &str, number: usize) -> io::Result<TcpStream> {
    let address: SocketAddr = address.parse().map_err(io::Error::other)?;
    let socket = TcpSocket::new_v4()?;
    let own = u8::try_from(1 + number / PER_ADDRESS).map_err(io::Error::other)?;
    socket.bind((Ipv4Addr::new(127, 0, 0, own), 0).into())?;
    socket.connect(address).await
}

/// Reads until all lines have come.
async fn look(
    plan: &Plan,
    seen: &RefCell<Seen>,
    mut stream: TcpStream,
    mut bytes: Vec<u8>,
) -> io::Result<()> {
    let mut lines = 0;
    loop {
        let mut at = 0;
        let mut pongs = Vec::new();
        let arrived = now();
        while let Some(frame) = frames::first(&bytes[at..]) {
            match frame.opcode {
                frames::CLOSE => {
                    let reason =
                        String::from_utf8_lossy(frame.payload.get(2..).unwrap_or_default()).into_owned();
                    return Err(io::Error::other(format!("closed: {reason}")));
                }
                frames::PING => pongs.extend(frames::pong(frame.payload)),
                _ => {
                    if let Some(time) = frames::time_in(frame.payload) {
                        lines += 1;
                        seen.borrow_mut().delays.push(arrived.saturating_sub(time));
                    }
                }
            }
            at += frame.size;
        }
        bytes.drain(..at);
        if plan.lines > 0 && lines >= plan.lines {
            return Ok(());
        }
        if !pongs.is_empty() {
            stream.write_all(&pongs).await?;
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(io::Error::other("the connection ended"));
        }
    }
}

fn report(plan: &Plan, seen: &Seen, elapsed: Duration) {
    let mut delays = seen.delays.clone();
    delays.sort_unstable();
    let milliseconds = |share: f64| {
        let at = (delays.len().saturating_sub(1) as f64 * share) as usize;
        delays.get(at).map(|&nanos| nanos as f64 / 1e6)
    };
    let report = json!({
        "viewers": plan.viewers, "complete": seen.complete, "frames": delays.len(),
        "refused": seen.refused.len(), "reason": seen.refused.first(),
        "p50_ms": milliseconds(0.5), "p99_ms": milliseconds(0.99), "max_ms": milliseconds(1.0),
        "seconds": elapsed.as_secs_f64(),
    });
    println!("{report}");
}
