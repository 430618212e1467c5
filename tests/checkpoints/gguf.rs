//! GGUF files as checkpoints: found, in parts, their identity, refusals, weighing and export.

use std::{fs, path::Path};

use crate::{
    files::Folder,
    goldens::{golden, prompts, run},
};
use base::progress::Silent;
use engine::weigh::weigh;
use model::{
    arch::Recipe,
    checkpoint::{Checkpoint, Memo, is_gguf},
    export,
};

/// Every GGUF golden with reference observations, sorted; `parity` compares them.
pub(crate) fn cases() -> Vec<String> {
    let entries = fs::read_dir(golden("gguf")).unwrap().map(|entry| entry.unwrap());
    let goldens = entries.filter(|entry| entry.path().join("reference.json").is_file());
    let mut cases: Vec<String> = goldens.map(|entry| case(entry.file_name().to_str().unwrap())).collect();
    cases.sort();
    cases
}

fn case(name: &str) -> String {
    format!("gguf/{name}")
}

fn refusal(at: &Path) -> String {
    match Checkpoint::open(at) {
        Ok(_) => panic!("{}: opened", at.display()),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_file_is_found_by_itself_or_alone_in_its_folder() {
    let file = golden(&case("llama_q4_1_biases")).join("model.gguf");
    let [of_file, of_folder] =
        [&file, &golden(&case("llama_q4_1_biases"))].map(|at| Checkpoint::open(at).unwrap());
    assert_eq!(of_file.config(), of_folder.config());
    assert_eq!(of_file.identity(&Memo::none()), of_folder.identity(&Memo::none()));
    assert_eq!(of_file.dtype(), "Q4_1");
    let stored: Vec<String> = of_file.stored().into_iter().map(|share| share.dtype).collect();
    assert_eq!(stored, ["F32", "Q4_1", "Q8_0"]);

    // Its matrices take 5 bits a weight, its embedding 8.5, its norms and biases 32.
    assert!(of_file.is_quantised() && (5.0..8.5).contains(&of_file.bits_per_weight()));
    let plain = Checkpoint::open(&golden(&case("qwen2_f16"))).unwrap();
    assert!(!plain.is_quantised() && plain.bits_per_weight() > 16.0);

    let folder = Folder::new();
    folder.write("blob", fs::read(&file).unwrap());
    assert!(is_gguf(&folder.file("blob")), "Ollama's blobs have no ending");
    assert_eq!(
        Checkpoint::open(&folder.file("blob")).unwrap().identity(&Memo::none()),
        of_file.identity(&Memo::none())
    );
    folder.write("a.gguf", fs::read(&file).unwrap());
    folder.write("b.gguf", fs::read(&file).unwrap());
    let message = refusal(folder.path());
    assert!(message.contains("several GGUF files (a.gguf, b.gguf)"), "{message}");
}

#[test]
fn parts_are_one_model_and_each_must_be_there() {
    let whole = Checkpoint::open(&golden(&case("llama_f32"))).unwrap();
    let parts = golden(&case("llama_f32/parts"));
    let in_parts = Checkpoint::open(&parts).unwrap();
    assert_eq!(in_parts.config(), whole.config());
    assert_eq!(in_parts.identity(&Memo::none()), whole.identity(&Memo::none()));

    let folder = Folder::new();
    let part = |number: u32| format!("model-{number:05}-of-00004.gguf");
    let bytes = |number: u32| fs::read(parts.join(part(number))).unwrap();
    for number in [1, 2, 4] {
        folder.write(&part(number), bytes(number));
    }
    let message = refusal(folder.path());
    assert!(message.contains(&part(3)) && message.contains("download the missing part"), "{message}");
    folder.write(&part(3), bytes(2));
    let message = refusal(folder.path());
    assert!(message.contains(&part(3)) && message.contains("`split.no`: expected 2, found 1"), "{message}");
    let message = refusal(&folder.file(&part(2)));
    assert!(message.contains("expected the first part, found part 2 of 4"), "{message}");
    folder.write("renamed.gguf", bytes(1));
    let message = refusal(&folder.file("renamed.gguf"));
    assert!(message.contains("one of 4 parts"), "{message}");
}

#[test]
fn identity_follows_numbers_and_their_order() {
    let folder = Folder::new();
    let mut bytes = fs::read(golden(&case("llama_q8_0_linear")).join("model.gguf")).unwrap();
    folder.write("model.gguf", &bytes);
    let before = Checkpoint::open(folder.path()).unwrap().identity(&Memo::none());
    *bytes.last_mut().unwrap() ^= 1;
    folder.write("model.gguf", &bytes);
    assert_ne!(Checkpoint::open(folder.path()).unwrap().identity(&Memo::none()), before);
}

#[test]
fn quantised_matrices_are_weighed_and_exported_as_the_numbers_they_stand_for() {
    let checkpoint = Checkpoint::open(&golden(&case("llama_q4_1_biases"))).unwrap();
    let recipe = Recipe::read(checkpoint.config()).unwrap();
    let weighed = weigh(&recipe, &checkpoint, &Silent).unwrap();
    assert!(weighed.unembedding.sigma_max > 0.0 && weighed.value_squares.len() == recipe.blocks());

    let folder = Folder::new();
    let exported = export::export(&checkpoint, &[], folder.path(), false).unwrap();
    let written: Vec<&str> = exported.weights.iter().map(|file| file.how).collect();
    assert_eq!(written, ["dequantised", "linked"]);
    // Once more: its own files are no obstacle.
    export::export(&checkpoint, &[], folder.path(), false).unwrap();
    let elements: u64 =
        checkpoint.stored().iter().filter(|share| share.dtype != "F32").map(|share| share.elements).sum();
    let interleaved = 3 * (4 * 24 + 2 * 24); // biases of q and k, whose rows are put in order
    assert_eq!(fs::metadata(folder.file("model.float32")).unwrap().len(), 4 * (elements + interleaved));
}

#[test]
fn what_a_damaged_file_names_is_the_file() {
    let folder = Folder::new();
    let bytes = fs::read(golden(&case("llama_f32")).join("model.gguf")).unwrap();
    folder.write("model.gguf", &bytes[..bytes.len() / 2]);
    let message = refusal(folder.path());
    assert!(
        message.contains("model.gguf: tensor") && message.contains("download the file again"),
        "{message}"
    );
    let _ = run(&golden(&case("llama_f32")), &prompts(&case("llama_f32"))).unwrap();
}
