//! `jianjian health`: for containers and scripts without an HTTP client.

use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use super::Failure;
use crate::config::Config;

const PATIENCE: Duration = Duration::from_secs(4);

pub fn run(config: &Config) -> Result<(), Failure> {
    let address = reachable(config.server.bind);
    let status = ask(address)
        .map_err(|error| Failure::Other(format!("no answer from {address}: {error}")))?;
    match status.split(' ').nth(1) {
        Some("200") => Ok(()),
        _ => Err(Failure::Other(format!(
            "{address} is not ready: {}",
            status.trim()
        ))),
    }
}

/// The first line of the answer.
fn ask(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "GET /health/ready HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    Ok(line)
}

/// A service that listens on every address is asked on the loopback one.
fn reachable(bind: SocketAddr) -> SocketAddr {
    let address = match bind.ip() {
        IpAddr::V4(address) if address.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(address) if address.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        address => address,
    };
    SocketAddr::new(address, bind.port())
}
