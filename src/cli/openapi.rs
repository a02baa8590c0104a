//! `jianjian openapi`: the document as a file of the repository.

use std::path::Path;

use super::{Failure, out};
use crate::api;
use crate::api::document::Document;

/// Where the document is kept.
const FILE: &str = "openapi/openapi.json";

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Fail if the file differs from the document
    #[arg(long, conflicts_with = "stdout")]
    check: bool,
    /// Print the document instead
    #[arg(long)]
    stdout: bool,
}

pub fn run(args: &Args) -> Result<(), Failure> {
    let document = Document::of(&api::routes())?;
    if args.stdout {
        out::text(&String::from_utf8_lossy(document.text()));
        return Ok(());
    }
    let file = Path::new(FILE);
    let present = std::fs::read(file).unwrap_or_default();
    if args.check {
        return if present == *document.text() {
            Ok(())
        } else {
            Err(Failure::Other(format!(
                "{FILE} is not up to date: run `jianjian openapi` in the root of the repository"
            )))
        };
    }
    if let Some(directory) = file.parent() {
        std::fs::create_dir_all(directory)?;
    }
    std::fs::write(file, document.text())
        .map_err(|error| Failure::Other(format!("cannot write {FILE}: {error}")))?;
    out::line(&format!("{FILE} written"));
    Ok(())
}
