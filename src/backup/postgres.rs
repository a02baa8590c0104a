//! The programs of PostgreSQL that write and read dumps.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::error::{Error, Result};

/// Writes a dump of the view that another session has exported.
pub fn dump(url: &str, snapshot: &str, to: &Path) -> Result<()> {
    let (url, password) = without_password(url);
    let mut command = Command::new("pg_dump");
    command
        .args(["--format=custom", "--no-owner", "--no-privileges"])
        .arg(format!("--snapshot={snapshot}"))
        .arg("--file")
        .arg(to)
        .arg("--dbname")
        .arg(url);
    run(command, password)
}

/// Reads a dump into an empty database, in one transaction.
pub fn load(url: &str, from: &Path) -> Result<()> {
    let (url, password) = without_password(url);
    let mut command = Command::new("pg_restore");
    command
        .args(["--no-owner", "--no-privileges", "--single-transaction"])
        .arg("--exit-on-error")
        .arg("--dbname")
        .arg(url)
        .arg(from);
    run(command, password)
}

fn run(mut command: Command, password: Option<String>) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    // Never on the command line, which every account of the machine can read.
    if let Some(password) = password {
        command.env("PGPASSWORD", password);
    }
    let output = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .map_err(|error| {
            Error::internal(format!(
                "{name} cannot be run ({error}): install the client programs of PostgreSQL, of the \
                 server's version or later"
            ))
        })?;
    if output.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&output.stderr);
    Err(Error::internal(format!("{name} failed: {}", words.trim())))
}

/// Takes the password out of a connection URL, wherever it stands in it.
fn without_password(url: &str) -> (String, Option<String>) {
    let mut password = None;
    let (address, query) = match url.split_once('?') {
        Some((address, query)) => (address.to_owned(), Some(query)),
        None => (url.to_owned(), None),
    };
    let address = match address.split_once("://") {
        Some((scheme, rest)) => {
            // The last @ before the path: a password may hold one that was not escaped.
            let end = rest.find('/').unwrap_or(rest.len());
            let (authority, path) = rest.split_at(end);
            let authority = match authority.rsplit_once('@') {
                Some((user, host)) => match user.split_once(':') {
                    Some((user, secret)) => {
                        password = Some(unescaped(secret));
                        format!("{user}@{host}")
                    }
                    None => authority.to_owned(),
                },
                None => authority.to_owned(),
            };
            format!("{scheme}://{authority}{path}")
        }
        None => address,
    };
    let Some(query) = query else {
        return (address, password);
    };
    let kept: Vec<_> = query
        .split('&')
        .filter(|pair| match pair.strip_prefix("password=") {
            Some(secret) => {
                password = Some(unescaped(secret));
                false
            }
            None => true,
        })
        .collect();
    let mark = if kept.is_empty() { "" } else { "?" };
    (format!("{address}{mark}{}", kept.join("&")), password)
}

/// Percent-encoding undone; a plus sign stays one.
fn unescaped(text: &str) -> String {
    let text = text.as_bytes();
    let (mut bytes, mut at) = (Vec::with_capacity(text.len()), 0);
    while let Some(byte) = text.get(at) {
        let digits = text.get(at + 1..at + 3).filter(|_| *byte == b'%');
        let code = digits
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(code.unwrap_or(*byte));
        at += if code.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_taken_out_of_the_address() {
        for (url, bare, password) in [
            ("postgres://db/x", "postgres://db/x", None),
            ("postgres://u@db:5432/x", "postgres://u@db:5432/x", None),
            (
                "postgres://u:p%40%25s@db/x",
                "postgres://u@db/x",
                Some("p@%s"),
            ),
            ("postgres://u:a+b@db", "postgres://u@db", Some("a+b")),
            (
                "postgres://u@db/x?sslmode=require&password=geheim",
                "postgres://u@db/x?sslmode=require",
                Some("geheim"),
            ),
            (
                "postgres:///x?host=%2Frun&password=p",
                "postgres:///x?host=%2Frun",
                Some("p"),
            ),
        ] {
            let (found, secret) = without_password(url);
            assert_eq!(
                (found.as_str(), secret.as_deref()),
                (bare, password),
                "{url}"
            );
        }
    }

    #[test]
    fn a_missing_program_is_told_with_what_to_do() {
        let error = run(Command::new("no-such-program-of-postgres"), None).expect_err("an error");
        let words = error.log_context().unwrap_or_default();
        assert!(words.contains("install the client programs"), "{words}");
    }
}
