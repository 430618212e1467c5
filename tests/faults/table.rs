//! The table of a whole run: one line for each command, kind of call and way.

use std::collections::BTreeMap;

use crate::{attack::Judged, commands::COMMANDS};

#[derive(Default)]
struct Line {
    points: usize,
    endings: BTreeMap<String, usize>,
    wrong: usize,
    panics: usize,
}

/// The table as Markdown, in the order of commands, kinds and ways; of so many points that there are.
pub(crate) fn markdown(judged: &[Judged], all: usize) -> String {
    let mut lines: BTreeMap<_, Line> = BTreeMap::new();
    for one in judged {
        let place = COMMANDS.iter().position(|command| command.name == one.point.command.name);
        let line = lines.entry((place, one.point.kind.name, one.point.way)).or_default();
        line.points += 1;
        *line.endings.entry(one.ending.name()).or_default() += 1;
        line.wrong += usize::from(!one.wrong.is_empty());
        line.panics += usize::from(one.ending.err.contains("panicked at"));
    }
    let total = |of: fn(&Line) -> usize| lines.values().map(of).sum::<usize>();
    let mut text = format!(
        "# Faults\n\n\
         Written by `make faults`: every command, and at every call of the C library on a file or a socket every error that the \
         call may give, half of what was asked, or the end of the process ([what that is](../tests/faults/README.md)). Of \
         many calls of one kind on one file in a row four are taken. Wrong is a point at which anything was not as it must \
         be: the exit code, the message, the files published, or the bytes after a second, undisturbed run.\n\n\
         {} of {all} points{}, {} wrong, {} panics.\n\n\
         | command | call | fault | points | exit codes | wrong | panics |\n|---|---|---|---:|---|---:|---:|\n",
        total(|line| line.points),
        if judged.len() < all { " (a sample with a fixed seed: FAULTS_SIZE)" } else { "" },
        total(|line| line.wrong),
        total(|line| line.panics),
    );
    for ((place, kind, way), line) in &lines {
        let command = place.map_or("", |place| COMMANDS[place].name);
        let endings: Vec<String> =
            line.endings.iter().map(|(name, count)| format!("{name} ({count})")).collect();
        text += &format!(
            "| {command} | {kind} | {} | {} | {} | {} | {} |\n",
            way.name(),
            line.points,
            endings.join(", "),
            line.wrong,
            line.panics
        );
    }
    text
}
