//! The tours in the docs are run block by block, on an empty database, against a real service.

use std::process::{Command, Stdio};

use jianjian::clock::{Clock, SystemClock};

use crate::support::TestApp;

/// The blocks of a page that a reader would paste into a shell.
fn blocks(page: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut block: Option<String> = None;
    for line in page.lines() {
        match (&mut block, line) {
            (None, "```sh") => block = Some(String::new()),
            (Some(_), "```") => blocks.extend(block.take()),
            (Some(text), line) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, _) => {}
        }
    }
    assert!(block.is_none(), "a block is not closed");
    blocks
}

fn need(program: &str) {
    let found = Command::new(program)
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    assert!(
        found.is_ok_and(|status| status.success()),
        "the tour needs {program}: install it (Debian, Ubuntu: apt-get install {program})"
    );
}

/// Runs the blocks of these pages one after the other in one shell, against a new service.
async fn run(pages: &[&str], at_the_end: &str) {
    for program in ["bash", "curl", "jq"] {
        need(program);
    }
    let app = TestApp::start().await;
    // The command line has no other clock than the system's, and neither has the reader.
    app.clock.set(SystemClock.now());
    let mut script = String::from("set -euo pipefail\n");
    for (page_number, page) in pages.iter().enumerate() {
        for (number, block) in blocks(page).iter().enumerate() {
            script.push_str("echo '== page ");
            script.push_str(&(page_number + 1).to_string());
            script.push_str(", block ");
            script.push_str(&(number + 1).to_string());
            script.push_str("'\n");
            script.push_str(block);
        }
    }
    script.push_str(at_the_end);
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_jianjian"));
    let directory = program.parent().expect("a directory").display();
    let mut command = Command::new("bash");
    command
        .env("BASE", app.base())
        .env("DATABASE_URL", app.database().url_text())
        .env("PATH", format!("{directory}:/usr/local/bin:/usr/bin:/bin"))
        .env("LC_ALL", "C.UTF-8")
        .env_remove("JIANJIAN_CONFIG")
        .arg("-c")
        .arg(script);
    let output = actix_web::web::block(move || command.output())
        .await
        .expect("a thread")
        .expect("to run bash");
    let told = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}\n{errors}");
    // A `null` is a name that the answer does not have.
    assert!(!told.contains("null"), "{told}\n{errors}");
}

#[actix_web::test]
async fn a_reader_of_the_tour_takes_a_proposal_from_draft_to_closed() {
    run(
        &[include_str!("../../docs/tour.md")],
        "[ \"$STATUS\" = closed ]\n",
    )
    .await;
}

#[actix_web::test]
async fn a_reader_of_the_second_tour_takes_the_side_roads() {
    run(
        &[
            include_str!("../../docs/tour.md"),
            include_str!("../../docs/tour-side-roads.md"),
        ],
        "[ \"$SIDE_STATUS, $SECOND_STATUS\" = 'closed, merged' ]\n",
    )
    .await;
}
