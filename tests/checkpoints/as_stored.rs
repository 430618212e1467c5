//! Walks whose products take weights as they are stored: on emulated tile registers on every machine, and by what this processor
//! is fastest with.

use std::{collections::BTreeMap, fs, path::Path};

use crate::rehearsed::{self, golden};
use engine::run::{Multiplier, RunError, Runtime};
use model::checkpoint::{Checkpoint, Made};
use number::observation::PromptObservation;

const BLOCK_WEIGHT: &str = "model.layers.1.mlp.up_proj.weight";

fn plain() -> Runtime {
    Runtime::load(None).unwrap().with_multiplier(Multiplier::Runtime)
}

/// With products of this program.
fn own() -> Vec<Runtime> {
    let with = |multiplier| Runtime::load(None).unwrap().with_multiplier(multiplier);
    let all = [Multiplier::EmulatedTiles, Multiplier::Own].map(with);
    let some: Vec<Runtime> = all.into_iter().filter(|runtime| runtime.own_products().is_some()).collect();
    assert!(!some.is_empty());
    some
}

/// Sums in the runtime's order.
fn as_the_runtime(runtime: &Runtime) -> bool {
    runtime.own_products().is_some_and(|products| products.starts_with("weights as stored"))
}

fn observed(runtime: &Runtime, checkpoint: &Checkpoint) -> Result<Vec<PromptObservation>, RunError> {
    rehearsed::observed(runtime, checkpoint).map(|(seen, _)| seen)
}

/// The largest relative difference of norms, largest components and entropies.
fn worst(a: &[PromptObservation], b: &[PromptObservation]) -> f32 {
    let numbers = |o: &[PromptObservation]| -> Vec<f32> {
        let of = |o: &PromptObservation| {
            let taps = ["resid", "max_abs", "mlp_out", "lens_entropy_nats", "loss_nats", "entropy_nats"];
            taps.iter().flat_map(|tap| o.tap(tap)).copied().collect::<Vec<f32>>()
        };
        o.iter().flat_map(of).collect()
    };
    let (a, b) = (numbers(a), numbers(b));
    assert_eq!(a.len(), b.len());
    a.iter().zip(&b).map(|(a, b)| (a - b).abs() / a.abs().max(b.abs())).fold(0.0, f32::max)
}

#[test]
fn products_with_weights_as_stored_are_those_of_the_runtime() {
    for case in [
        "llama_gqa_tied_bf16",
        "gemma3_1b_keys_bf16",
        "opt_decoder_prefix_bf16",
        "cohere_biases_untied_bf16",
        "llama_legacy_f16",
        "gpt_neox_legacy_keys_f16",
    ] {
        let checkpoint = golden(case);
        let as_ever = observed(&plain(), &checkpoint).unwrap();
        for runtime in own() {
            let seen = observed(&runtime, &checkpoint).unwrap();
            if as_the_runtime(&runtime) || case.ends_with("_f16") {
                assert_eq!(seen, as_ever, "{case}: in the same order");
            } else {
                assert_ne!(seen[0].resid(), as_ever[0].resid(), "{case}: in another order");
                assert!(worst(&seen, &as_ever) < 5e-6, "{case}: {}", worst(&seen, &as_ever));
            }
        }
    }
}

#[test]
fn a_weight_that_is_made_or_lies_askew_is_widened_beside_those_that_stay() {
    let checkpoint = golden("llama_gqa_tied_bf16");
    for runtime in own() {
        // A constant in one block: that block's graph is another than its neighbours'.
        let made = BTreeMap::from([(BLOCK_WEIGHT.to_string(), Made::constant(0.125))]);
        let made = golden("llama_gqa_tied_bf16").with_made(made);
        let (seen, as_ever) = (observed(&runtime, &made).unwrap(), observed(&plain(), &made).unwrap());
        assert_eq!(seen == as_ever, as_the_runtime(&runtime));
        assert!(worst(&seen, &as_ever) < 5e-6, "{}", worst(&seen, &as_ever));
        // Every tensor at an odd address: nothing can stay, and all is as the runtime has it.
        let folder = tempfile::tempdir().unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens/llama_gqa_tied_bf16");
        fs::copy(source.join("config.json"), folder.path().join("config.json")).unwrap();
        let bytes = fs::read(source.join("model.safetensors")).unwrap();
        let length = u64::from_le_bytes(bytes[..8].try_into().unwrap());
        let (header, data) = bytes[8..].split_at(length as usize);
        let odd = if length.is_multiple_of(2) { 1 } else { 2 };
        let padding = vec![b' '; odd];
        let askew = [&(length + odd as u64).to_le_bytes()[..], header, &padding, data].concat();
        fs::write(folder.path().join("model.safetensors"), askew).unwrap();
        let askew = Checkpoint::open(folder.path()).unwrap();
        assert_eq!(observed(&runtime, &askew).unwrap(), observed(&plain(), &checkpoint).unwrap());
    }
}

#[test]
fn a_damaged_weight_that_stays_as_it_is_stored_is_named() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens/cohere_biases_untied_bf16");
    for (tensor, place) in [(BLOCK_WEIGHT, "block 1: "), ("lm_head.weight", "unembedding: ")] {
        let folder = tempfile::tempdir().unwrap();
        fs::copy(source.join("config.json"), folder.path().join("config.json")).unwrap();
        let mut bytes = fs::read(source.join("model.safetensors")).unwrap();
        let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        let header: serde_json::Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
        let at = 8 + length + header[tensor]["data_offsets"][0].as_u64().unwrap() as usize;
        bytes[at..at + 2].copy_from_slice(&[0xc0, 0x7f]); // not-a-number in bf16
        fs::write(folder.path().join("model.safetensors"), bytes).unwrap();
        let damaged = Checkpoint::open(folder.path()).unwrap();
        for runtime in own() {
            let message = observed(&runtime, &damaged).unwrap_err().to_string();
            assert!(message.starts_with(place) && message.contains(tensor), "{message}");
        }
    }
}
