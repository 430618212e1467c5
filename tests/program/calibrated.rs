//! `calibrate` from the outside: what it finds is kept, is in every form of the report, and does not hang on the machine.

use std::fs;

use crate::sandbox::Sandbox;

const ONE: &[&str] = &["calibrate", "--id", "H13", "--json", "--quiet"];

/// A sandbox that judges H13 and nothing else, with a report.
fn judged() -> Sandbox {
    let sandbox = Sandbox::new();
    for file in sandbox.files("experiments/hypotheses").into_keys().filter(|file| file != "H13.toml") {
        fs::remove_file(sandbox.path("experiments/hypotheses").join(file)).unwrap();
    }
    sandbox.expect(0, &["run", "--quiet"]);
    sandbox
}

#[test]
fn error_rates_are_kept_and_shown_and_do_not_hang_on_threads() {
    let sandbox = judged();
    let page = |sandbox: &Sandbox| {
        sandbox.read("results/report/report.md").contains("What this judge would have said")
    };
    assert!(!page(&sandbox), "nothing was simulated yet");
    let found = sandbox.command(ONE).env("RAYON_NUM_THREADS", "1").output().unwrap();
    assert!(found.status.success(), "{}", String::from_utf8_lossy(&found.stderr));
    assert!(!sandbox.path("results/calibration").exists(), "one hypothesis is not the whole experiment");
    // From the store: the same bytes.
    let again = sandbox.run(ONE);
    assert!(found.stdout == again.stdout);
    // Computed anew on other threads, in a store that has the same observations: the same bytes.
    let other = judged();
    let anew = other.command(ONE).env("RAYON_NUM_THREADS", "2").output().unwrap();
    assert!(found.stdout == anew.stdout);

    // The whole experiment is kept beside the store too, and the report shows it.
    let (text, _) = sandbox.expect(0, &["calibrate", "--quiet"]);
    assert!(text.contains("Would find a true claim in 80 of 100 worlds"), "{text}");
    let (said, _) = sandbox.expect(0, &["report"]);
    assert!(!said.contains("nothing to do"), "{said}");
    assert!(page(&sandbox));
    let kept = sandbox.read("results/calibration/reproduce.json");
    fs::create_dir(other.path("results/calibration")).unwrap();
    other.write("results/calibration/reproduce.json", &kept);
    fs::remove_dir_all(other.path("results/store")).unwrap();
    other.expect(0, &["run", "--quiet"]);
    assert!(page(&other), "a store that never simulated takes what the results folder keeps");
    // The page has what the table says.
    let csv = sandbox.read("results/report/data/worlds-published.csv");
    let table: serde_json::Value = serde_json::from_slice(&found.stdout).unwrap();
    let worlds = table["H13"][0]["worlds"].as_array().unwrap();
    assert_eq!(table["H13"][0]["prediction"], "H13a");
    for world in worlds {
        let row = format!(
            ",{},{},{},{},{},{},",
            world["effect"].as_f64().unwrap(),
            world["drawn"].as_f64().unwrap(),
            world["holds"],
            world["lineages"],
            world["prompts"],
            world["runs"]
        );
        assert!(csv.lines().any(|line| line.starts_with("H13a,") && line.contains(&row)), "{row}\n{csv}");
    }
}

#[test]
fn a_file_of_error_rates_that_cannot_be_read_is_told_of_and_left_aside() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path("results/calibration")).unwrap();
    sandbox.write("results/calibration/reproduce.json", "[{]");
    let (_, said) = sandbox.expect(0, &["plan"]);
    assert!(said.contains("is left aside") && said.contains("streamgauge calibrate"), "{said}");
}
