//! The only place that prints.

use std::io::Write;

/// One line on standard output.
pub fn line(line: &str) {
    text(&format!("{line}\n"));
}

/// A text as it is on standard output. Nobody may be reading.
pub fn text(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// One line on standard error, whatever the message contains.
#[expect(
    clippy::print_stderr,
    reason = "the command line speaks to people here"
)]
pub fn error(message: &str) {
    eprintln!(
        "jianjian: {}",
        message.split_whitespace().collect::<Vec<_>>().join(" ")
    );
}
