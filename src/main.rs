//! The program: see [`jianjian::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    jianjian::cli::main()
}
