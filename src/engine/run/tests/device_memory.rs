//! The way of a walk through a device's memory, rehearsed in this machine's: two slots, weights uploaded as stored and
//! widened by a graph, outputs bound to where they stay. Everything but the provider and its bus is what CUDA gets; the
//! numbers must be those of the plain walk, bit for bit.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Mutex,
        mpsc::{Receiver, Sender, channel},
    },
    time::Duration,
};

use super::super::{
    Graphs, Multiplier, ObserveOptions, RunError, Runtime,
    memory::{Host, Memory},
    observe_with,
    session::fault,
    stager::{ahead, in_turn},
    weights::{Buffer, Staged},
};
use base::progress::Silent;
use model::{
    arch::{Place, Recipe, WeightUse},
    checkpoint::{Checkpoint, Made},
};
use number::observation::{Extra, PromptObservation};

pub(super) fn golden(case: &str) -> Checkpoint {
    Checkpoint::open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/goldens").join(case)).unwrap()
}

/// What is observed with every extra, and the streams that an observer saw.
pub(super) type Seen = (Vec<PromptObservation>, Vec<Vec<Vec<f32>>>);

pub(super) fn observed(runtime: &Runtime, checkpoint: &Checkpoint) -> Result<Seen, RunError> {
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

/// The blocks of a golden.
fn blocks(weights: &[WeightUse]) -> Vec<&[WeightUse]> {
    let blocks = weights.chunk_by(|a, b| a.place == b.place);
    blocks.filter(|uses| matches!(uses[0].place, Place::Block(_))).collect()
}

#[test]
fn two_slots_hold_what_one_slot_holds() {
    Runtime::load(None).unwrap(); // no tensor is made before
    for case in ["llama_gqa_tied_bf16", "llama_mha_f32"] {
        let checkpoint = golden(case);
        let weights = Recipe::read(checkpoint.config()).unwrap().checked_weights(&checkpoint).unwrap();
        let blocks = blocks(&weights);
        assert!(blocks.len() > 2, "{case}: with fewer no slot is used twice");
        let walk = |two: bool| {
            let mut seen = Vec::new();
            let mut keep = |index: usize, staged: &Staged<'_>| {
                for (name, value) in staged.inputs()? {
                    let (_, data) = value.try_extract_tensor::<f32>().map_err(|e| fault("weights", e))?;
                    let bits: Vec<u32> = data.iter().map(|x| x.to_bits()).collect();
                    seen.push((index, name.into_owned(), bits));
                }
                Ok(())
            };
            match two {
                false => {
                    in_turn(&Host { unit: None }, &mut Buffer::default(), &checkpoint, &blocks, &mut keep)
                }
                true => ahead(&Host { unit: None }, &checkpoint, &blocks, &mut keep),
            }
            .unwrap();
            seen
        };
        assert_eq!(walk(true), walk(false), "{case}");
    }
}

/// A memory that holds nothing and tells when it is filled; the fill numbered `fails` fails.
struct Telling {
    filled: Mutex<(usize, Sender<usize>)>,
    fails: usize,
}

impl Telling {
    fn new(fails: usize) -> (Telling, Receiver<usize>) {
        let (tell, told) = channel();
        (Telling { filled: Mutex::new((0, tell)), fails }, told)
    }
}

impl Memory for Telling {
    type Slot = ();

    fn fill(&self, (): &mut (), _: &Checkpoint, _: &[WeightUse]) -> Result<(), RunError> {
        let mut filled = self.filled.lock().unwrap();
        let number = filled.0;
        filled.0 += 1;
        filled.1.send(number).unwrap();
        if number == self.fails { Err(fault("weights", "no room")) } else { Ok(()) }
    }

    fn view<'a>(&self, (): &'a (), _: &'a Checkpoint, _: &'a [WeightUse]) -> Result<Staged<'a>, RunError> {
        Ok(Staged::new(Vec::new()))
    }
}

const SOON: Duration = Duration::from_secs(20);
const NEVER: Duration = Duration::from_millis(50);

#[test]
fn the_next_module_comes_while_one_is_computed_and_the_one_after_does_not() {
    let checkpoint = golden("llama_mha_f32");
    let modules = [&[][..]; 5];
    let (memory, told) = Telling::new(usize::MAX);
    let mut filled = 0;
    let mut indices = Vec::new();
    ahead(&memory, &checkpoint, &modules, &mut |index, _| {
        while filled < (index + 2).min(modules.len()) {
            assert_eq!(told.recv_timeout(SOON).unwrap(), filled, "filled while {index} is computed");
            filled += 1;
        }
        assert!(told.recv_timeout(NEVER).is_err(), "three modules at once, computing {index}");
        indices.push(index);
        Ok(())
    })
    .unwrap();
    assert_eq!(indices, [0, 1, 2, 3, 4]);
}

#[test]
fn a_failure_on_either_side_ends_the_walk() {
    let checkpoint = golden("llama_mha_f32");
    let modules = [&[][..]; 5];
    let (memory, _told) = Telling::new(2);
    let mut computed = 0;
    let failed = ahead(&memory, &checkpoint, &modules, &mut |_, _| {
        computed += 1;
        Ok(())
    });
    assert!(failed.unwrap_err().to_string().contains("no room"));
    assert_eq!(computed, 2);
    let (memory, _told) = Telling::new(usize::MAX);
    let failed = ahead(&memory, &checkpoint, &modules, &mut |index, _| match index {
        1 => Err(fault("block", "not finite")),
        _ => Ok(()),
    });
    assert!(failed.unwrap_err().to_string().contains("not finite"));
}
