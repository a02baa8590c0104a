//! The program: see [`jianjian::cli`].

use std::process::ExitCode;

/// Gives memory back that was needed for a moment only, as at the start and in a storm; the
/// allocator of the system keeps it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    jianjian::cli::main()
}
