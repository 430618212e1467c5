//! The table of a whole run: one line for each command, one for each kind of call, and every point that went wrong.
//!
//! What came of a command's points is kept below `target`, so that a later run of a few commands replaces theirs alone.

use std::{collections::BTreeMap, env, fmt::Write, fs, path::PathBuf};

use crate::{
    attack::Judged,
    commands::{COMMANDS, Command},
    faults::{KINDS, Way},
};

/// What came of one point.
struct Row {
    kind: &'static str,
    class: Class,
    ending: String,
    panicked: bool,
    /// What was wrong, and where; empty for nothing.
    wrong: String,
}

/// What kinds of faults have in common.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    Once,
    Lasting,
    Harmless,
    Killed,
}

/// With their words in the table.
const CLASSES: [(Class, &str); 4] = [
    (Class::Once, "an error"),
    (Class::Lasting, "errors from there on"),
    (Class::Harmless, "EINTR, or half"),
    (Class::Killed, "killed"),
];

impl Class {
    fn of(way: Way) -> Class {
        match way {
            _ if way.kills() => Class::Killed,
            _ if way.harmless() => Class::Harmless,
            Way::Once(_) => Class::Once,
            _ => Class::Lasting,
        }
    }
}

/// Keeps what came of a command's points, of so many that there are, and writes what is kept of all commands to the file that the
/// environment's `FAULTS_TABLE` names. Without it nothing is kept.
pub(crate) fn keep(command: &Command, judged: &[Judged], there: usize) {
    let Some(file) = env::var_os("FAULTS_TABLE") else { return };
    let mut text = format!("{there}\n");
    for one in judged {
        let class = CLASSES.iter().position(|(class, _)| *class == Class::of(one.point.way)).unwrap();
        let wrong = if one.wrong.is_empty() { String::new() } else { one.place_and_wrong() };
        let panicked = one.ending.err.contains("panicked at");
        writeln!(text, "{}\t{class}\t{}\t{panicked}\t{wrong}", one.point.kind.name, one.ending.name())
            .unwrap();
    }
    fs::write(kept(command), text).unwrap();
    let all = COMMANDS.iter().filter_map(|command| {
        let (there, rows) = rows(command)?;
        Some((command.name, there, rows))
    });
    fs::write(file, markdown(&all.collect::<Vec<_>>())).unwrap();
}

fn kept(command: &Command) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("faults");
    fs::create_dir_all(&folder).unwrap();
    folder.join(command.name)
}

fn rows(command: &Command) -> Option<(usize, Vec<Row>)> {
    let text = fs::read_to_string(kept(command)).ok()?;
    let (there, lines) = text.split_once('\n')?;
    let row = |line: &str| {
        let mut parts = line.splitn(5, '\t');
        let kind = parts.next()?;
        Some(Row {
            kind: KINDS.iter().find(|known| known.name == kind)?.name,
            class: CLASSES.get(parts.next()?.parse::<usize>().ok()?)?.0,
            ending: parts.next()?.into(),
            panicked: parts.next()? == "true",
            wrong: parts.next()?.into(),
        })
    };
    Some((there.parse().ok()?, lines.lines().map(row).collect::<Option<_>>()?))
}

fn markdown(commands: &[(&str, usize, Vec<Row>)]) -> String {
    let there: usize = commands.iter().map(|(_, there, _)| there).sum();
    let all: Vec<&Row> = commands.iter().flat_map(|(_, _, rows)| rows).collect();
    let mut text = format!(
        "# Faults\n\n\
         Written by `make faults`: every command, and at every call of the C library on a file or a socket every error that the \
         call may give, half of what was asked, or the end of the process ([what that is](../tests/faults/README.md)). Of \
         many calls of one kind on one file eight are taken. Wrong is a point at which anything was not as it must be: the \
         exit code, the message, the files published, or the bytes after a second, undisturbed run.\n\n\
         {} of {there} points{}, {} wrong, {} panics.\n\n\
         How often each exit code came (0 is also right where the command can do without, e.g. cannot remove an old temporary \
         file):\n\n\
         | command | points |{} wrong | panics |\n|---|---:|{}---:|---:|\n",
        all.len(),
        if all.len() < there { " (of some commands a sample with a fixed seed)" } else { "" },
        wrong(&all),
        panics(&all),
        CLASSES.map(|(_, words)| format!(" {words} |")).concat(),
        "---|".repeat(CLASSES.len()),
    );
    for (name, there, rows) in commands {
        let rows: Vec<&Row> = rows.iter().collect();
        let points =
            if rows.len() < *there { format!("{} of {there}", rows.len()) } else { there.to_string() };
        let line =
            format!("| {name} | {points} |{} {} | {} |\n", endings(&rows), wrong(&rows), panics(&rows));
        text += &line;
    }
    text += &format!(
        "\n| call | points |{} wrong | panics |\n|---|---:|{}---:|---:|\n",
        CLASSES.map(|(_, words)| format!(" {words} |")).concat(),
        "---|".repeat(CLASSES.len())
    );
    for kind in &KINDS {
        let rows: Vec<&Row> = all.iter().copied().filter(|row| row.kind == kind.name).collect();
        if !rows.is_empty() {
            let line = format!(
                "| {} | {} |{} {} | {} |\n",
                kind.name,
                rows.len(),
                endings(&rows),
                wrong(&rows),
                panics(&rows)
            );
            text += &line;
        }
    }
    if wrong(&all) > 0 {
        text += "\nWhat was wrong:\n\n";
        let wrong = all.iter().filter(|row| !row.wrong.is_empty());
        wrong.for_each(|row| text += &format!("- {}\n", row.wrong));
    }
    text
}

fn wrong(rows: &[&Row]) -> usize {
    rows.iter().filter(|row| !row.wrong.is_empty()).count()
}

fn panics(rows: &[&Row]) -> usize {
    rows.iter().filter(|row| row.panicked).count()
}

/// A cell for each class: `0: 12, 6: 30`.
fn endings(rows: &[&Row]) -> String {
    let cell = |class: Class| {
        let mut counted = BTreeMap::<&str, usize>::new();
        for row in rows.iter().filter(|row| row.class == class) {
            *counted.entry(&row.ending).or_default() += 1;
        }
        let cells: Vec<String> = counted.iter().map(|(ending, count)| format!("{ending}: {count}")).collect();
        format!(" {} |", cells.join(", "))
    };
    CLASSES.map(|(class, _)| cell(class)).concat()
}
