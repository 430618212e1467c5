//! The way of a walk through a device's memory, rehearsed in this machine's: two slots, weights uploaded as stored and
//! widened by a graph, outputs bound to where they stay. Everything but the provider and its bus is what CUDA gets; the
//! numbers must be those of the plain walk, bit for bit.

use std::{collections::BTreeMap, path::Path};

use base::progress::Silent;
use engine::run::{Graphs, Multiplier, ObserveOptions, RunError, Runtime, observe_with};
use model::{
    arch::Recipe,
    checkpoint::{Checkpoint, Made},
};
use number::observation::{Extra, PromptObservation};

pub(crate) fn golden(case: &str) -> Checkpoint {
    Checkpoint::open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens").join(case)).unwrap()
}

/// What is observed with every extra, and the streams that an observer saw.
pub(crate) type Seen = (Vec<PromptObservation>, Vec<Vec<Vec<f32>>>);

pub(crate) fn observed(runtime: &Runtime, checkpoint: &Checkpoint) -> Result<Seen, RunError> {
    let recipe = Recipe::read(checkpoint.config())?;
    let graphs = Graphs::build(&recipe)?;
    let prompts = [vec![3, 1, 4, 1, 5, 9, 2, 6], vec![7], vec![2, 7, 1]];
    let extras = Extra::ALL.iter().copied().collect();
    let mut streams = Vec::new();
    let mut keep = |_: usize, seen: &[&[f32]]| streams.push(seen.iter().map(|s| s.to_vec()).collect());
    let asked = ObserveOptions { extras: &extras, observer: Some(&mut keep) };
    let found = observe_with(runtime, &recipe, &graphs, checkpoint, &prompts, asked, &Silent)?;
    Ok((found, streams))
}

#[test]
fn a_walk_through_a_device_s_memory_gives_the_same_bits() {
    // On a device all products are the runtime's.
    let runtime = Runtime::load(None).unwrap().with_multiplier(Multiplier::Runtime);
    let rehearsing = runtime.clone().rehearsing();
    // Every dtype, two kinds of blocks, weights that lie at odd places, a head with a bias.
    for case in [
        "llama_gqa_tied_bf16",
        "llama_legacy_f16",
        "llama_gqa_llama3_sharded_f32",
        "gemma3_1b_keys_bf16",
        "gpt_neox_legacy_keys_f16",
        "gptj_partial_rotary_f32",
        "opt_350m_post_norm_f32",
        "qwen2_moe_some_dense_f32",
    ] {
        let checkpoint = golden(case);
        let plain = observed(&runtime, &checkpoint).unwrap();
        assert_eq!(observed(&rehearsing, &checkpoint).unwrap(), plain, "{case}");
    }
}

#[test]
fn a_damaged_weight_is_named_when_it_went_to_a_device() {
    let tensor = "model.layers.1.mlp.up_proj.weight";
    let damaged = BTreeMap::from([(tensor.to_string(), Made::constant(f32::NAN))]);
    let checkpoint = golden("llama_mha_f32").with_made(damaged);
    let runtime = Runtime::load(None).unwrap().rehearsing();
    let message = observed(&runtime, &checkpoint).unwrap_err().to_string();
    assert!(message.starts_with("block 1: ") && message.contains(tensor), "{message}");
}
