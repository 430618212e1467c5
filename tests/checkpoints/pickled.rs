//! Pickled weights: the same checkpoint as its safetensors, nothing run, and damaged files refused.

use std::{fs, path::Path};

use crate::{
    files::Folder,
    goldens::{golden, prompts, run},
    quantised::{Random, read_all},
};
use model::checkpoint::{Checkpoint, Memo};

const SOURCE: &str = "llama_gqa_tied_bf16";

fn refusal(at: &Path) -> String {
    match Checkpoint::open(at) {
        Ok(_) => panic!("{}: opened", at.display()),
        Err(error) => error.to_string(),
    }
}

#[test]
fn pickled_weights_are_the_same_checkpoint_as_safetensors() {
    let expected = Checkpoint::open(&golden(SOURCE)).unwrap();
    for folder in ["pickled/whole", "pickled/sharded"] {
        let found = Checkpoint::open(&golden(folder)).unwrap();
        assert_eq!(found.identity(&Memo::none()), expected.identity(&Memo::none()), "{folder}");
    }
    let prompts = prompts(SOURCE);
    let [found, expected] = ["pickled/whole", SOURCE].map(|folder| run(&golden(folder), &prompts).unwrap());
    assert!(found == expected);
}

#[test]
fn what_is_no_archive_of_tensors_is_refused_with_what_helps() {
    let folder = Folder::new();
    folder.write("config.json", "{}");
    let read = |name: &str| fs::read(golden("pickled").join(name)).unwrap();
    folder.write("pytorch_model.bin", read("old.bin"));
    let message = refusal(folder.path());
    assert!(message.contains("before version 1.6") && message.contains("save_pretrained"), "{message}");
    folder.write("pytorch_model.bin", read("strided.bin"));
    let message = refusal(folder.path());
    assert!(message.contains("tensor \"a\"") && message.contains("strides [1, 3]"), "{message}");
    let mut bytes = read("whole/pytorch_model.bin");
    let name = b"_rebuild_tensor_v2";
    let at = bytes.windows(name.len()).position(|window| window == name).unwrap();
    bytes[at..at + name.len()].copy_from_slice(b"_rebuild_device_v2");
    folder.write("pytorch_model.bin", &bytes);
    let message = refusal(folder.path());
    assert!(message.contains("\"torch._utils._rebuild_device_v2\", of which nothing is run"), "{message}");
    bytes.truncate(bytes.len() / 2);
    folder.write("pytorch_model.bin", &bytes);
    assert!(refusal(folder.path()).contains("pytorch_model.bin"));
}

#[test]
fn a_damaged_archive_is_read_or_refused() {
    let folder = Folder::new();
    folder.write("config.json", "{}");
    let sound = fs::read(golden("pickled/strided.bin")).unwrap();
    let whole = fs::read(golden("pickled/sharded/pytorch_model-00001-of-00002.bin")).unwrap();
    let mut random = Random(7);
    for turn in 0..3000 {
        let mut bytes = if turn % 4 == 0 { whole.clone() } else { sound.clone() };
        for _ in 0..=random.below(3) {
            let at = random.below(bytes.len());
            bytes[at] = random.below(256) as u8;
        }
        if turn % 7 == 0 {
            bytes.truncate(random.below(bytes.len()));
        }
        folder.write("pytorch_model.bin", bytes);
        read_all(folder.path());
    }
}
