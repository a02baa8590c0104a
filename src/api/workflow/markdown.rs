//! `docs/workflow.md`: the tables as pictures and text, made from the same data as the answer.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::{Workflow, WorkflowMachine, WorkflowRow, WorkflowStatus};
use crate::codes::Label;
use crate::workflow::guard;

/// The page.
pub fn workflow_markdown() -> String {
    let workflow = Workflow::new();
    let mut out = String::from(HEAD);
    for machine in &workflow.machines {
        // Writing to a String cannot fail.
        let _ = write!(
            out,
            "\n## {}\n\n### {} · 状态 Statuses\n\n",
            title(machine.label),
            machine.label.zh
        );
        statuses(&mut out, machine);
        let _ = write!(out, "\n```mermaid\n{}```\n", diagram(machine));
        let _ = write!(out, "\n### {} · 操作 Rows\n\n", machine.label.zh);
        rows(&mut out, machine);
    }
    out.push_str("\n## 条件 Guards\n\n");
    guards(&mut out, &workflow);
    out
}

const HEAD: &str = "\
# 流程 Workflow

<!-- Made from the tables in src/workflow (`UPDATE=1 cargo test --test it docs`); do not edit. -->

Everything that can happen to a case: one row per way. Whatever is not here is refused. The same as
data: `GET /api/v1/workflow`. What the caller may do with one thing now: `…/actions` of that thing.
Which test shows which row: [rows.md](rows.md). In words: [concepts.md](concepts.md).

提案办理的全部流转方式，一行一种；表中没有的一律不予受理。条件须全部满足，“谁可以”满足其一即可。

In the pictures, rows that leave the status as it is are left out, and so are statuses that no row
touches. `(系统 system)` marks what the system does as a consequence. 图中不画状态不变的操作。
";

fn title(label: Label) -> String {
    let mut en = label.en.chars();
    let first = en.next().map(|first| first.to_ascii_uppercase());
    format!("{} {}{}", label.zh, String::from_iter(first), en.as_str())
}

fn both(label: Label) -> String {
    format!("{} {}", label.zh, label.en)
}

/// A table cell keeps clear of what Markdown takes for the end of it.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// Words without what Mermaid takes for a sign of its own.
fn plain(text: &str) -> String {
    text.replace([':', ';', '#', '"', '<', '>'], " ")
}

fn link(row: &str) -> String {
    format!("[{row}](#{})", row.to_ascii_lowercase())
}

fn list<T>(
    items: impl IntoIterator<Item = T>,
    show: impl Fn(T) -> String,
    between: &str,
) -> String {
    let shown: Vec<_> = items.into_iter().map(show).collect();
    if shown.is_empty() {
        "–".to_owned()
    } else {
        shown.join(between)
    }
}

impl WorkflowRow {
    /// Whether it makes the thing.
    fn makes(&self) -> bool {
        self.from.is_empty()
    }

    /// Statuses that it leaves for another one.
    fn leaves(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.from
            .iter()
            .copied()
            .filter(|from| self.to.is_some_and(|to| to != *from))
    }

    /// Whether it leads to a status from another one, or from nothing.
    fn reaches(&self, status: &str) -> bool {
        self.to == Some(status) && (self.makes() || self.leaves().next().is_some())
    }
}

impl WorkflowMachine {
    fn rows_to(&self, status: &str) -> impl Iterator<Item = &WorkflowRow> {
        self.rows.iter().filter(move |row| row.reaches(status))
    }

    fn rows_from(&self, status: &str) -> impl Iterator<Item = &WorkflowRow> {
        self.rows
            .iter()
            .filter(move |row| row.leaves().any(|from| from == status))
    }
}

fn statuses(out: &mut String, machine: &WorkflowMachine) {
    out.push_str("| Status | 中文 | English | Reached by 进入 | Left by 离开 |\n| --- | --- | --- | --- | --- |\n");
    for WorkflowStatus {
        code,
        label,
        is_final,
    } in &machine.statuses
    {
        let ids =
            |rows: &mut dyn Iterator<Item = &WorkflowRow>| list(rows, |row| link(row.id), ", ");
        let _ = writeln!(
            out,
            "| `{code}` | {} | {}{} | {} | {} |",
            label.zh,
            label.en,
            if *is_final { " (final 终态)" } else { "" },
            ids(&mut machine.rows_to(code)),
            ids(&mut machine.rows_from(code)),
        );
    }
}

/// A Mermaid picture: one arrow per pair of statuses, with every row that goes that way.
fn diagram(machine: &WorkflowMachine) -> String {
    const OUTSIDE: &str = "[*]";
    let mut out = String::from("stateDiagram-v2\n");
    let drawn = |status: &&WorkflowStatus| {
        machine.rows_to(status.code).next().is_some()
            || machine.rows_from(status.code).next().is_some()
    };
    for status in machine.statuses.iter().filter(drawn) {
        let _ = writeln!(
            out,
            "    state \"{}<br/>{}\" as {}",
            plain(status.label.zh),
            status.code,
            status.code
        );
    }
    let mut arrows: Vec<(&str, &str)> = Vec::new();
    let mut words: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    for row in &machine.rows {
        let Some(to) = row.to else { continue };
        let outside = row.makes().then_some(OUTSIDE);
        for from in outside.into_iter().chain(row.leaves()) {
            let system = if row.by_system {
                " (系统 system)"
            } else {
                ""
            };
            let label = format!("{} {}{system}", row.id, plain(&both(row.label)));
            if !arrows.contains(&(from, to)) {
                arrows.push((from, to));
            }
            words.entry((from, to)).or_default().push(label);
        }
    }
    for arrow in arrows {
        let label = words.remove(&arrow).unwrap_or_default().join("<br/>");
        let _ = writeln!(out, "    {} --> {}: {label}", arrow.0, arrow.1);
    }
    for status in machine.statuses.iter().filter(drawn) {
        if status.is_final {
            let _ = writeln!(out, "    {} --> {OUTSIDE}", status.code);
        }
    }
    out
}

fn rows(out: &mut String, machine: &WorkflowMachine) {
    out.push_str(
        "| Row | Action 操作 | From 从 | To 到 | Who 谁可以 | Guards 条件 | Event 事件 | Operation |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for row in &machine.rows {
        let code = |text: &str| format!("`{text}`");
        let operation = row.operation.as_ref().map_or_else(
            || "–".to_owned(),
            |operation| format!("`{} {}`", operation.method, operation.path),
        );
        let _ = writeln!(
            out,
            "| <a id=\"{}\"></a>{} | {} `{}` | {} | {} | {} | {} | `{}` | {operation} |",
            row.id.to_ascii_lowercase(),
            row.id,
            cell(&both(row.label)),
            row.action,
            list(&row.from, |from| code(from), ", "),
            row.to.map_or_else(|| "=".to_owned(), code),
            list(&row.who, |who| cell(&both(who.label)), "; "),
            list(
                &row.guards,
                |guard| format!("[{0}](#{0})", guard.name),
                ", "
            ),
            row.event,
        );
    }
    out.push_str("\n`–` under From: the row makes the thing. `=` under To: the status stays. 从“–”：新建；到“=”：状态不变。\n");
}

fn guards(out: &mut String, workflow: &Workflow) {
    out.push_str("| Guard | Invariant | 未满足时 | When it is not met | Rows |\n| --- | --- | --- | --- | --- |\n");
    for guard in guard::ALL {
        let rows = workflow
            .machines
            .iter()
            .flat_map(|machine| &machine.rows)
            .filter(|row| row.guards.iter().any(|own| own.name == guard.name));
        let _ = writeln!(
            out,
            "| <a id=\"{0}\"></a>`{0}` | {1} | {2} | {3} | {4} |",
            guard.name,
            guard.invariant.unwrap_or("–"),
            cell(guard.message.0),
            cell(guard.message.1),
            list(rows, |row| link(row.id), ", "),
        );
    }
}
