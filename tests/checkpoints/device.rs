//! Devices: what a CUDA card must compute, and what is said where there is none. A comparison that needs a card says on
//! standard error that it was skipped and why; `make parity DEVICE=cuda` fails instead.

use std::{io::Write, process::Command};

use crate::goldens::{DEVICE_VARIABLE, cases, golden, prompts, run_on};
use crate::sandbox::Sandbox;
use engine::run::{RunError, Runtime};
use number::observation::PromptObservation;

/// Largest relative difference between processor and card.
const TOLERANCE: f64 = 1e-5;

#[test]
fn a_card_measures_what_the_processor_measures() {
    let card = match Runtime::cuda(0, None) {
        Ok(card) => card,
        Err(RunError::Cuda(unusable)) => {
            // Past the harness, which hides what a passing test prints.
            let _ = writeln!(std::io::stderr(), "SKIPPED: cpu is not compared with a card: {unusable}");
            return;
        }
        Err(other) => panic!("{other}"),
    };
    let _ = writeln!(std::io::stderr(), "comparing cpu with {}", card.place());
    // The same library: a process loads one.
    let processor = card.clone().on_processor();
    for case in cases() {
        let (folder, prompts) = (golden(&case), prompts(&case));
        let on_card = run_on(&card, &folder, &prompts).unwrap();
        for (a, b) in on_card.iter().zip(&run_on(&processor, &folder, &prompts).unwrap()) {
            let errors = numbers(a).zip(numbers(b)).map(|(a, b)| (a - b).abs() / b.abs().max(1e-6));
            let worst = errors.fold(0.0, f64::max);
            assert!(worst <= TOLERANCE, "{case}: {worst:.1e}");
        }
        assert_eq!(on_card, run_on(&card, &folder, &prompts).unwrap(), "{case}: two runs differ");
    }
}

fn numbers(seen: &PromptObservation) -> impl Iterator<Item = f64> {
    let taps =
        ["resid", "attn_out", "mlp_out", "write", "max_abs", "final_norm", "entropy_nats", "loss_nats"];
    taps.into_iter().flat_map(|tap| seen.tap(tap)).copied().map(f64::from)
}

#[test]
fn a_runtime_without_cuda_is_refused_with_the_remedy_and_auto_goes_on_with_it() {
    let sandbox = Sandbox::new();
    let asked = ["measure", "llama3-tiny", "--tokens", "1,2,3"];
    if std::env::var_os("ORT_DYLIB_PATH").is_some() {
        let _ = writeln!(std::io::stderr(), "SKIPPED: ORT_DYLIB_PATH may be a runtime with CUDA");
        return;
    }
    let (_, said) = sandbox.expect(5, &[&asked[..], &["--device", "cuda:1"]].concat());
    assert!(said.starts_with("error: cuda:1 cannot be used"), "{said}");
    assert!(said.contains("is ONNX Runtime without CUDA") && said.contains("`make runtime-cuda`"), "{said}");
    let (_, said) = sandbox.expect(0, &[&asked[..], &["--device", "auto"]].concat());
    let notes: Vec<&str> = said.lines().filter(|line| line.contains("device: ")).collect();
    let [note] = notes[..] else { panic!("one line about the device: {said}") };
    assert!(note.contains("device: cpu, since cuda:0 cannot be used: "), "{note}");
    assert!(note.contains("; "), "with a remedy: {note}");
}

#[test]
fn make_parity_asks_for_the_device_where_the_tests_look() {
    let folder = env!("CARGO_MANIFEST_DIR");
    let printed =
        Command::new("make").args(["-C", folder, "-n", "parity", "DEVICE=cuda:1"]).output().unwrap();
    let printed = String::from_utf8(printed.stdout).unwrap();
    assert!(printed.contains(&format!("{DEVICE_VARIABLE}=cuda:1 ")), "{printed}");
    assert!(printed.contains("parity-cuda1.md"), "{printed}");
}

#[test]
fn the_processor_is_the_default_and_its_numbers_say_so() {
    let sandbox = Sandbox::new();
    let plain = ["measure", "llama3-tiny", "--tokens", "1,2,3", "--json"];
    let measured = sandbox.json(&plain);
    assert_eq!(measured["runtime"]["provider"], "cpu");
    assert_eq!(measured["runtime"]["device"], "cpu");
    assert_eq!(sandbox.json(&[&plain[..], &["--device", "cpu"]].concat()), measured);
    let (_, said) = sandbox.expect(2, &[&plain[..], &["--device", "gpu"]].concat());
    assert!(said.contains("\"gpu\"") && said.contains("cuda:N"), "{said}");
}

#[test]
fn who_multiplies_is_as_asked() {
    let asked = ["measure", "llama3-tiny", "--tokens", "1,2,3"];
    // Each in a store of its own: an observation does not say which instructions made it.
    let run = |products: &str| {
        let sandbox = Sandbox::new();
        let mut command = sandbox.command(&asked);
        let output = command.arg("--json").env("STREAMGAUGE_PRODUCTS", products).output().unwrap();
        let measured: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let layers = measured["observations"][0]["resid"].as_array().unwrap().clone();
        let cells = layers.iter().flat_map(|layer| layer.as_array().unwrap());
        let norms: Vec<f64> = cells.map(|norm| norm.as_f64().unwrap()).collect();
        (norms, String::from_utf8(output.stderr).unwrap())
    };
    let [(own, by_own), (runtime, by_runtime), (emulated, by_emulated)] =
        ["own", "runtime", "emulated-tiles"].map(run);
    assert!(runtime.len() > 3 && emulated != runtime, "{emulated:?} {runtime:?}");
    for other in [own, emulated] {
        assert_eq!(other.len(), runtime.len());
        assert!(
            other.iter().zip(&runtime).all(|(a, b)| (a - b).abs() <= TOLERANCE * b),
            "{other:?} {runtime:?}"
        );
    }
    let own_products = Runtime::load(None).unwrap().own_products();
    let with = own_products.map_or("\n".to_string(), |own| format!(" with {own}"));
    assert!(by_own.contains(&format!("that its matrix products reach alone{with}")), "{by_own}");
    assert!(by_runtime.contains("that its matrix products reach alone\n"), "{by_runtime}");
    let with = "that its matrix products reach alone with emulated tile registers";
    assert!(by_emulated.contains(with), "{by_emulated}");
    let (_, said) = run("runtme");
    assert!(said.contains("STREAMGAUGE_PRODUCTS is runtme; expected own, runtime or"), "{said}");
}
