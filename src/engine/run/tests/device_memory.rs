//! Two slots for the weights of a device, one filled while the other is computed on.

use std::{
    path::Path,
    sync::{
        Mutex,
        mpsc::{Receiver, Sender, channel},
    },
    time::Duration,
};

use super::super::{
    RunError, Runtime,
    memory::{Host, Memory},
    session::fault,
    stager::{ahead, in_turn},
    weights::{Buffer, Staged},
};
use model::{
    arch::{Place, Recipe, WeightUse},
    checkpoint::Checkpoint,
};

fn golden(case: &str) -> Checkpoint {
    Checkpoint::open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/goldens").join(case)).unwrap()
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
