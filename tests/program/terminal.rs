//! What reaches the terminal: no command of a file, and every page of the report.

use std::fs;

use crate::sandbox::{Sandbox, project};

/// Turns the screen's colours round, clears it, gives the window a name, in seven and in eight bits; writes backwards.
const HOSTILE: &str = "\u{1b}[7m\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}2J\u{202e}";

/// As a JSON or TOML string says it.
const QUOTED: &str = r"\u001b[7m\u001b[2J\u001b]0;owned\u0007\u009b2J\u202e";

/// Runs a command that must leave with this code; gives what it said, which must hold nothing that a terminal would obey,
/// and show that there was something.
fn shown(sandbox: &Sandbox, code: i32, arguments: &[&str]) -> String {
    let (out, error) = sandbox.expect(code, arguments);
    let text = out + &error;
    let obeyed = |c: char| (c.is_control() && c != '\n' && c != '\t') || c == '\u{202e}';
    assert!(!text.contains(obeyed), "{arguments:?}: {text:?}");
    assert!(
        text.contains(r"\u{1b}[2J") || text.contains(r"\u001b[2J"),
        "{arguments:?} quotes nothing: {text}"
    );
    text
}

#[test]
fn names_and_titles_of_files_cannot_command_the_terminal() {
    let sandbox = Sandbox::new();
    let hypothesis = "experiments/hypotheses/H9.toml";
    let title = sandbox.read(hypothesis).lines().find(|line| line.starts_with("title")).unwrap().to_string();
    sandbox.edit(hypothesis, &title, &format!("title = \"{QUOTED}\""));
    let text = shown(&sandbox, 0, &["plan", "--json"]);
    assert!(text.contains(r"\u009b2J\u202e"), "{text}");

    // In the table of verdicts, and on its own page.
    shown(&sandbox, 0, &["run", "--quiet"]);
    shown(&sandbox, 0, &["report", "--page", "h9", "--quiet"]);
    let page = sandbox.read("results/report/index.html") + &sandbox.read("results/report/report.md");
    assert!(page.contains(r"\u{1b}[2J") && !page.contains('\u{1b}'));

    // A key that nothing knows.
    sandbox.edit(hypothesis, &format!("title = \"{QUOTED}\""), &format!("\"{QUOTED}\" = 1\n{title}"));
    shown(&sandbox, 3, &["check"]);
    shown(&sandbox, 3, &["check", "--json"]);
    shown(&sandbox, 3, &["run", "--quiet"]);
    shown(&sandbox, 4, &["inspect", &format!("nowhere/{HOSTILE}")]);
    shown(&sandbox, 3, &["check", &format!("nowhere/{HOSTILE}")]);
    let file = format!("experiments/hypotheses/{HOSTILE}.toml");
    sandbox.write(&file, "schema = 1\n");
    shown(&sandbox, 3, &["check"]);
    fs::remove_file(sandbox.path(&file)).unwrap();
    sandbox.edit(hypothesis, &format!("\"{QUOTED}\" = 1\n"), "");
    shown(&sandbox, 2, &["explain", HOSTILE, "--quiet"]);
}

#[test]
fn a_command_line_that_is_refused_is_quoted_without_commands_and_secrets() {
    let sandbox = Sandbox::new();
    for arguments in [&["run", &format!("--{HOSTILE}")][..], &[HOSTILE], &["run", "--device", HOSTILE]] {
        let (_, said) = sandbox.expect(2, arguments);
        // The parser of command lines drops what it knows as colours by itself.
        let obeyed = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(said.contains(r"\u{9b}2J\u{202e}") && !said.contains(obeyed), "{said:?}");
    }
    let token = "hf_of-the-command-line";
    let output =
        sandbox.command(&["run", &format!("--token={token}")]).env("HF_TOKEN", token).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(2) && said.contains("--token"), "{said}");
    let output = sandbox.command(&["check", token]).env("HF_TOKEN", token).output().unwrap();
    let said = said + &String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("[hidden]") && !said.contains(token), "{said}");
    let (help, _) = sandbox.expect(0, &["--help"]);
    assert!(help.contains("Usage: streamgauge"), "{help}");
}

#[test]
fn a_checkpoint_cannot_command_the_terminal() {
    let sandbox = Sandbox::new();
    let config = "data/zoo/llama3-tiny/config.json";
    let before = sandbox.read(config);
    sandbox.write(config, &before.replace("\"llama\"", &format!("\"rwkv{QUOTED}\"")));
    for arguments in
        [&["measure", "llama3-tiny", "--tokens", "5,6"][..], &["inspect", "llama3-tiny", "--quiet"]]
    {
        shown(&sandbox, 4, arguments);
    }
    sandbox.write(config, &before);

    // The name of a tensor, as long as before.
    let weights = sandbox.path("data/zoo/llama3-tiny/model.safetensors");
    let good = fs::read(&weights).unwrap();
    let (name, other) = (b"\"model.norm.weight\"", br#""m\u001b[2J.weight""#);
    assert_eq!(name.len(), other.len());
    let at = good.windows(name.len()).position(|some| some == name).unwrap();
    let mut bad = good.clone();
    bad[at..at + name.len()].copy_from_slice(other);
    fs::write(&weights, &bad).unwrap();
    let (out, error) = sandbox.expect(4, &["measure", "llama3-tiny", "--tokens", "5,6", "--quiet"]);
    assert!(!(out + &error).contains('\u{1b}'));
    fs::write(&weights, &good).unwrap();

    sandbox.write("data/zoo/llama3-tiny/tokenizer.json", &format!("{{\"{QUOTED}\": 1}}"));
    let (out, error) = sandbox.expect(4, &["measure", "llama3-tiny", "--prompt", "a"]);
    assert!(!(out + &error).contains('\u{1b}'));
}

#[test]
fn the_runtimes_own_log_cannot_command_the_terminal() {
    let sandbox = Sandbox::new();
    let mut model = fs::read(project().join("tests/foreign/torch_script_llama_mha_f32.onnx")).unwrap();
    let (name, other) =
        (&b"/model/model/embed_tokens/Gather"[..], &b"/model/model/\x1b[2Jx_tokens/Gather"[..]);
    assert_eq!(name.len(), other.len());
    let places: Vec<usize> =
        (0..model.len() - name.len()).filter(|&at| &model[at..at + name.len()] == name).collect();
    assert!(!places.is_empty());
    for at in places {
        model[at..at + name.len()].copy_from_slice(other);
    }
    fs::write(sandbox.path("model.onnx"), model).unwrap();
    // No such token: the runtime fails, and logs it beside its answer.
    let text = shown(&sandbox, 5, &["measure", "model.onnx", "--tokens", "1,99999", "--quiet"]);
    assert!(text.contains("ONNX Runtime, sequential_executor"), "{text}");
}

#[test]
fn every_page_of_the_report_is_shown_where_it_is_asked_for() {
    let sandbox = Sandbox::new();
    let (ran, _) = sandbox.expect(0, &["run"]);
    // The case of one model is on the opening page, on the terminal as elsewhere.
    assert!(ran.contains("One model, two verdicts"), "{ran}");
    let (page, _) = sandbox.expect(0, &["report", "--page", "h17"]);
    assert!(page.contains("H17: ") && page.contains("Every way of measuring it"), "{page}");
    assert!(page.lines().all(|line| line.chars().count() <= 100), "{page}");
    let (model, _) = sandbox.expect(0, &["report", "--page", "llama3-tiny", "--quiet"]);
    assert!(model.contains("Estimates of llama3-tiny in every hypothesis"), "{model}");
    let (all, _) = sandbox.expect(0, &["report", "--page", "all"]);
    assert!(all.contains(&page) && all.contains(&model));
    let (_, error) = sandbox.expect(2, &["report", "--page", "H71"]);
    assert!(error.contains("no page `H71`") && error.contains("h17"), "{error}");
}

#[test]
fn files_of_a_hypothesis_that_is_gone_are_removed_and_others_stay() {
    let sandbox = Sandbox::new();
    sandbox.expect(0, &["run"]);
    let before = sandbox.files("results/report");
    let of = |id: &str| -> Vec<String> {
        let names = before.keys().filter(|name| name.contains(&format!("-{id}")));
        names.cloned().collect()
    };
    let (gone, kept) = (of("h18"), of("h17"));
    assert!(gone.len() > 3 && kept.len() > 3, "{gone:?} {kept:?}");
    fs::remove_file(sandbox.path("experiments/hypotheses/H18.toml")).unwrap();
    // Of the same folder, but no file of a report; and a file of the report that somebody changed.
    sandbox.write("results/report/verdict-h18-notes.md", "mine");
    sandbox.write("results/report/verdict-h18.svg", "changed");
    sandbox.expect(0, &["run"]);
    let after = sandbox.files("results/report");
    let left: Vec<&String> = after.keys().filter(|name| name.contains("h18")).collect();
    assert_eq!(left, ["verdict-h18-notes.md", "verdict-h18.svg"]);
    assert!(kept.iter().all(|name| after.contains_key(name)));
}
