//! Checkpoint folders as they come: whole, sharded, damaged, hostile.

use std::{fs, path::Path};

use crate::files::{Folder, RawTensor, f32_bytes, raw, write_raw, write_safetensors};
use base::hash::Fields;
use model::checkpoint::{Checkpoint, Dtype, Memo, StoredAs, widen::widen};

const SINGLE: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";

/// The error of opening the folder, as text.
fn refusal(folder: &Path) -> String {
    match Checkpoint::open(folder) {
        Ok(_) => panic!("{}: opened", folder.display()),
        Err(error) => error.to_string(),
    }
}

fn says(error: &str, words: &[&str]) {
    for word in words {
        assert!(error.contains(word), "{word:?} is not in: {error}");
    }
}

/// Of an element of a safetensors file.
fn bits(dtype: StoredAs) -> usize {
    let StoredAs::Plain(dtype) = dtype else { panic!("no GGUF") };
    dtype.bitsize()
}

/// The refusal of a folder with this header and data.
fn header_refusal(header: &str, data: &[u8]) -> String {
    let folder = Folder::new();
    write_raw(&folder.file(SINGLE), header, data);
    let error = refusal(folder.path());
    says(&error, &[SINGLE]);
    error
}

#[test]
fn tensors_are_read_as_they_lie_whatever_their_order_and_alignment() {
    // A one-byte tensor first, so that the others are unaligned.
    let a = f32_bytes(&[1.0, -2.5, 3.0, 4.0, 5.0, 6.0]);
    let b = [0x80, 0x3f, 0x00, 0xc0]; // bf16 1, -2
    let c = [0x00, 0x3c]; // f16 1
    let folder = Folder::with_tensors(&[
        ("mask", "BOOL", &[1], &[1]),
        ("z", "F32", &[2, 3], &a),
        ("b", "BF16", &[2], &b),
        ("c", "F16", &[], &c),
    ]);
    folder.write("config.json", r#"{"model_type": "llama"}"#);
    let checkpoint = Checkpoint::open(folder.path()).unwrap();
    assert_eq!(checkpoint.config()["model_type"], "llama");
    assert_eq!(checkpoint.tensors().map(|t| t.name).collect::<Vec<_>>(), ["b", "c", "z"]);
    assert_eq!(checkpoint.entries().map(|e| e.name).collect::<Vec<_>>(), ["b", "c", "mask", "z"]);
    assert_eq!((checkpoint.parameters(), checkpoint.dtype().as_str()), (9, "F32"));
    for (name, dtype, shape, numbers) in [
        ("z", Dtype::F32, &[2, 3][..], &[1.0, -2.5, 3.0, 4.0, 5.0, 6.0][..]),
        ("b", Dtype::BF16, &[2], &[1.0, -2.0]),
        ("c", Dtype::F16, &[], &[1.0]),
    ] {
        let tensor = checkpoint.tensor(name).unwrap();
        assert_eq!((tensor.dtype, tensor.shape, tensor.elements()), (dtype, shape, numbers.len()));
        let mut out = vec![0.0; numbers.len()];
        widen(&tensor, &mut out);
        assert_eq!(out, numbers);
    }
}

#[test]
fn a_buffer_that_is_no_weight_is_listed_but_not_read_as_one() {
    let folder = Folder::with_tensors(&[("ids", "I64", &[1], &[0; 8]), ("w", "F32", &[1], &[0; 4])]);
    let checkpoint = Checkpoint::open(folder.path()).unwrap();
    assert!(checkpoint.has("ids") && checkpoint.parameters() == 1);
    let error = checkpoint.tensor("ids").unwrap_err().to_string();
    says(&error, &[SINGLE, "\"ids\"", "F32, F16 or BF16", "I64"]);
}

#[test]
fn a_missing_tensor_is_named_with_the_most_similar_one() {
    let folder = Folder::with_tensors(&[
        ("model.norm.weight", "F32", &[1], &[0; 4]),
        ("lm_head.weight", "F32", &[1], &[0; 4]),
    ]);
    let error = Checkpoint::open(folder.path()).unwrap().tensor("norm.weight").unwrap_err().to_string();
    says(&error, &["\"norm.weight\"", "\"model.norm.weight\"", "config.json"]);
}

#[test]
fn what_is_no_checkpoint_folder_says_what_is_missing() {
    let folder = Folder::new();
    says(&refusal(&folder.file("nowhere")), &["nowhere", "found nothing"]);
    says(&refusal(&folder.file("config.json")), &["config.json", "found a file"]);
    says(&refusal(folder.path()), &[SINGLE, INDEX, "found neither", "download"]);
    folder.write("pytorch_model.bin", "");
    says(&refusal(folder.path()), &["pytorch_model.bin", "a zip archive of torch", "convert"]);
    folder.write("config.json", "[1]");
    says(&refusal(folder.path()), &["config.json", "a JSON object", "an array"]);
    folder.write("config.json", "{\"a\": ");
    says(&refusal(folder.path()), &["config.json", "a JSON object", "line 1"]);
    fs::remove_file(folder.file("config.json")).unwrap();
    says(&refusal(folder.path()), &["no config.json"]);
    fs::create_dir(folder.file(SINGLE)).unwrap();
    folder.write("config.json", "{}");
    says(&refusal(folder.path()), &[SINGLE, "found a folder"]);
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    let header = r#"{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#;
    let whole = raw(header, &[0; 8]);
    let folder = Folder::new();
    for length in 0..whole.len() {
        folder.write(SINGLE, &whole[..length]);
        says(&refusal(folder.path()), &[SINGLE, "expected", "found", "download"]);
    }
    folder.write(SINGLE, &whole[..5]);
    says(&refusal(folder.path()), &["at least 8 bytes", "5 bytes"]);
    folder.write(SINGLE, &whole[..20]);
    says(&refusal(folder.path()), &["a header of 54 bytes", "a file of 20 bytes"]);
    folder.write(SINGLE, &whole[..whole.len() - 1]);
    says(&refusal(folder.path()), &["\"w\"", "7 bytes of data", "[0, 8]"]);
    folder.write(SINGLE, &whole);
    assert!(Checkpoint::open(folder.path()).is_ok());
}

#[test]
fn no_flipped_bit_of_a_header_reaches_outside_the_file() {
    let header = r#"{"__metadata__":{"format":"pt"},"v":{"dtype":"I8","shape":[3],"data_offsets":[0,3]},"w":{"dtype":"F16","shape":[2,1],"data_offsets":[3,7]}}"#;
    let whole = raw(header, &[0; 7]);
    let folder = Folder::new();
    let mut refused = 0;
    for bit in 0..8 * (whole.len() - 7) {
        let mut damaged = whole.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        folder.write(SINGLE, &damaged);
        match Checkpoint::open(folder.path()) {
            Ok(checkpoint) => {
                for entry in checkpoint.entries() {
                    let size = entry.shape.iter().product::<usize>() * bits(entry.dtype) / 8;
                    assert_eq!(entry.bytes.len(), size, "bit {bit}: {}", entry.name);
                }
            }
            Err(error) => {
                says(&error.to_string(), &[SINGLE]);
                refused += 1;
            }
        }
    }
    assert!(refused > 500, "{refused}");
}

#[test]
fn a_header_that_contradicts_itself_is_refused_with_the_tensor_named() {
    let one = |dtype: &str, shape: &str, from: u64, to: u64| {
        format!(r#"{{"w":{{"dtype":"{dtype}","shape":{shape},"data_offsets":[{from},{to}]}}}}"#)
    };
    let two = |from: u64, to: u64| {
        format!(
            r#"{{"a":{{"dtype":"I8","shape":[4],"data_offsets":[0,4]}},"b":{{"dtype":"I8","shape":[4],"data_offsets":[{from},{to}]}}}}"#
        )
    };
    let data = [0; 8];
    says(
        &header_refusal(&one("F32", "[3]", 0, 8), &data),
        &["\"w\"", "12 bytes for F32 of shape [3]", "8 bytes"],
    );
    says(&header_refusal(&one("F32", "[2]", 4, 12), &data), &["\"w\"", "8 bytes of data", "[4, 12]"]);
    says(&header_refusal(&one("F32", "[2]", 8, 0), &data), &["\"w\"", "[8, 0]"]);
    says(&header_refusal(&one("F4", "[15]", 0, 8), &data), &["\"w\"", "a whole number of bytes", "[15]"]);
    says(&header_refusal(&one("F32", "[4611686018427387904,4,2]", 0, 8), &data), &["\"w\"", "below 2^61"]);
    says(&header_refusal(&one("F32", "[0,4611686018427387904,4]", 0, 0), &[]), &["\"w\"", "below 2^61"]);
    says(&header_refusal(&one("F32", "[-2]", 0, 8), &data), &["\"w\"", "-2"]);
    says(&header_refusal(&one("F31", "[2]", 0, 8), &data), &["\"w\"", "F31", "BF16"]);
    says(&header_refusal(r#"{"w":{"dtype":"F32","shape":[2]}}"#, &data), &["\"w\"", "data_offsets"]);
    says(&header_refusal(&two(2, 6), &data[..6]), &["\"b\"", "offset 4, where \"a\" ends", "overlapping"]);
    says(&header_refusal(&two(5, 9), &[0; 9]), &["\"b\"", "offset 4", "from 5, leaving a hole"]);
    says(&header_refusal(&two(4, 8), &[0; 9]), &["8 bytes of data", "9 bytes"]);
    says(&header_refusal(&two(4, 8).replace("\"b\"", "\"a\""), &data), &["\"a\" twice"]);
    says(&header_refusal("[]", &[]), &["an object of tensors"]);
    says(&header_refusal("{", &[]), &["a JSON header of tensors"]);
}

#[test]
fn a_header_length_that_lies_is_refused() {
    let folder = Folder::new();
    folder.write(SINGLE, [u64::MAX.to_le_bytes().as_slice(), b"{}"].concat());
    says(&refusal(folder.path()), &[SINGLE, "18446744073709551615", "a file of 10 bytes"]);
    folder.write(SINGLE, [2u64.to_le_bytes().as_slice(), &[0xff, 0xfe]].concat());
    says(&refusal(folder.path()), &[SINGLE, "a JSON header of tensors"]);
    folder.write(SINGLE, "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 10\n");
    says(&refusal(folder.path()), &[SINGLE, "git-lfs pointer", "git lfs pull"]);
}

/// Shards `one.safetensors` with `a` and `two.safetensors` with `b`, and this index.
fn sharded(index: &[(&str, &str)]) -> Folder {
    let folder = Folder::new();
    write_safetensors(&folder.file("one.safetensors"), &[("a", "F32", &[1], &f32_bytes(&[1.0]))]);
    write_safetensors(&folder.file("two.safetensors"), &[("b", "F32", &[1], &f32_bytes(&[2.0]))]);
    folder.write_index(index);
    folder
}

#[test]
fn shards_are_read_through_their_index() {
    let folder = sharded(&[("b", "two.safetensors"), ("a", "one.safetensors")]);
    let checkpoint = Checkpoint::open(folder.path()).unwrap();
    assert_eq!(checkpoint.find("b").unwrap().bytes, f32_bytes(&[2.0]));
    assert_eq!(checkpoint.tensors().map(|t| t.name).collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn an_index_may_not_name_a_file_elsewhere() {
    for shard in
        ["../x", "/etc/passwd", "sub/one.safetensors", "./../one.safetensors", "..", "", "a\\b", "a/.."]
    {
        let folder = sharded(&[("a", shard), ("b", "two.safetensors")]);
        says(&refusal(folder.path()), &[INDEX, "\"a\"", &format!("{shard:?}"), "own folder"]);
    }
}

#[test]
fn index_and_shards_that_disagree_are_refused() {
    let refusal_of = |index: &[(&str, &str)]| refusal(sharded(index).path());
    let (one, two) = ("one.safetensors", "two.safetensors");
    says(
        &refusal_of(&[("a", one), ("b", "three.safetensors")]),
        &[INDEX, "\"three.safetensors\"", "no such file"],
    );
    // Converters drop a tied head after they wrote the index: what nothing needs may be absent.
    let absent = |index: &[(&str, &str)], tensor: &str| {
        let folder = sharded(index);
        let checkpoint = Checkpoint::open(folder.path()).unwrap();
        checkpoint.tensor(tensor).unwrap_err().to_string()
    };
    says(&absent(&[("a", one), ("b", two), ("c", two)], "c"), &[INDEX, "\"c\"", two, "no such tensor"]);
    says(&absent(&[("a", two), ("b", two)], "a"), &[INDEX, "\"a\"", two, "no such tensor"]);
    says(&refusal_of(&[]), &[INDEX, "an empty weight_map"]);

    let folder = sharded(&[("a", one), ("b", two)]);
    write_safetensors(
        &folder.file(two),
        &[("a", "F32", &[1], &f32_bytes(&[1.0])), ("b", "F32", &[1], &f32_bytes(&[2.0]))],
    );
    says(&refusal(folder.path()), &[INDEX, "\"a\"", one, two]);
    folder.write(INDEX, r#"{"weight_map": {"a": "one.safetensors", "a": "two.safetensors"}}"#);
    says(&refusal(folder.path()), &[INDEX, "\"a\" twice"]);
    folder.write(INDEX, r#"{"metadata": {}}"#);
    says(&refusal(folder.path()), &[INDEX, "weight_map"]);
    folder.write(INDEX, r#"{"weight_map": {"a": 3}}"#);
    says(&refusal(folder.path()), &[INDEX, "weight_map", "integer `3`"]);
}

#[test]
fn a_tensor_is_read_from_the_shard_that_has_it_whatever_the_index_says_and_that_is_said() {
    let (one, two) = ("one.safetensors", "two.safetensors");
    let sound = sharded(&[("a", one), ("b", two)]);
    assert!(Checkpoint::open(sound.path()).unwrap().notes().is_empty());
    let said = |index: &[(&str, &str)], words: &[&str]| {
        let folder = sharded(index);
        let checkpoint = Checkpoint::open(folder.path()).unwrap();
        for (tensor, value) in [("a", 1.0), ("b", 2.0)] {
            assert_eq!(checkpoint.find(tensor).unwrap().bytes, f32_bytes(&[value]), "{index:?}");
        }
        assert_eq!(identity(&folder), identity(&sound));
        let [note] = checkpoint.notes() else { panic!("{:?}", checkpoint.notes()) };
        says(note, words);
        says(note, &[INDEX, "different revisions"]);
    };
    said(&[("a", one), ("b", one), ("c", two)], &["\"b\"", "it is in \"one", "\"two.safetensors\" has it"]);
    said(&[("a", one), ("c", two)], &["\"b\"", "in no shard", "\"two.safetensors\" has it"]);
    said(&[("a", two), ("b", one)], &["\"a\"", "it is in \"two", "\"one.safetensors\" has it", "1 more"]);
}

fn identity(folder: &Folder) -> String {
    Checkpoint::open(folder.path()).unwrap().identity(&Memo::none()).to_string()
}

#[test]
fn identity_is_of_the_tensors_not_of_their_files() {
    let (a, b) = (f32_bytes(&[1.0]), f32_bytes(&[2.0]));
    let tensors: [RawTensor<'_>; 2] = [("a", "F32", &[1], &a), ("b", "F32", &[1], &b)];
    let whole = Folder::with_tensors(&tensors);
    let expected = identity(&whole);

    let reordered = Folder::with_tensors(&[tensors[1], tensors[0]]);
    assert_eq!(identity(&reordered), expected);
    let shards = sharded(&[("a", "one.safetensors"), ("b", "two.safetensors")]);
    assert_eq!(identity(&shards), expected);
    let renamed = tempfile::tempdir().unwrap();
    let renamed = renamed.path().join("another name");
    fs::rename(shards.path(), &renamed).unwrap();
    let moved = Checkpoint::open(&renamed).unwrap().identity(&Memo::none());
    assert_eq!(moved.to_string(), expected);
    let touched = fs::File::options().append(true).open(whole.file(SINGLE)).unwrap();
    touched.set_modified(std::time::UNIX_EPOCH).unwrap();
    assert_eq!(identity(&whole), expected);
}

#[test]
fn identity_changes_with_any_byte_name_dtype_or_shape() {
    // Above and below the size from which one tensor is hashed on all cores.
    for elements in [6, 1 << 20] {
        let bytes = vec![7; 2 * elements];
        let half = elements / 2;
        let shape = [elements];
        let expected = identity(&Folder::with_tensors(&[("w", "F16", &shape, &bytes)]));
        for at in [0, elements, 2 * elements - 1] {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            assert_ne!(identity(&Folder::with_tensors(&[("w", "F16", &shape, &flipped)])), expected, "{at}");
        }
        let others: [RawTensor<'_>; 4] = [
            ("v", "F16", &shape, &bytes),
            ("w", "BF16", &shape, &bytes),
            ("w", "F16", &[2, half], &bytes),
            ("w", "F16", &[half, 2], &bytes),
        ];
        let mut identities: Vec<String> =
            others.iter().map(|tensor| identity(&Folder::with_tensors(&[*tensor]))).collect();
        identities.push(expected);
        identities.sort();
        identities.dedup();
        assert_eq!(identities.len(), 5);
    }
}

#[test]
fn a_weight_hashed_as_it_is_read_is_not_read_again() {
    let folder = Folder::with_tensors(&[
        ("a", "F32", &[2], &f32_bytes(&[1.0, 2.0])),
        ("b", "F32", &[1], &f32_bytes(&[3.0])),
    ]);
    let expected = identity(&folder);
    let checkpoint = Checkpoint::open(folder.path()).unwrap().hashing();
    checkpoint.hash_weight("b");
    checkpoint.hash_weight("no such tensor");
    // What was hashed counts as it was read then; the rest is read now.
    let end = fs::metadata(folder.file(SINGLE)).unwrap().len() - size_of::<f32>() as u64;
    let file = fs::File::options().write(true).open(folder.file(SINGLE)).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, &f32_bytes(&[4.0]), end).unwrap();
    assert_eq!(checkpoint.identity(&Memo::none()).to_string(), expected);
    assert_ne!(identity(&folder), expected);
}

#[test]
fn a_memo_spares_hashing_only_while_the_files_are_the_same() {
    let folder = Folder::with_tensors(&[("w", "F32", &[1], &f32_bytes(&[1.0]))]);
    let path = folder.file("memo/identities.json");
    let memo = Memo::at(&path);
    let of = |memo: &Memo| Checkpoint::open(folder.path()).unwrap().identity(memo).to_string();
    let hashed = of(&memo);
    assert_eq!(hashed, of(&Memo::none()));

    // An entry of which something changed is forgotten.
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(&hashed), "{text}");
    let forged = "0".repeat(64);
    fs::write(&path, text.replace(&hashed, &forged)).unwrap();
    assert_eq!(of(&memo), hashed);

    // One that is forged with its digest comes back: the memo is what answers.
    let mut contents: serde_json::Value = serde_json::from_str(&text).unwrap();
    let (name, entry) = contents["checkpoints"].as_object_mut().unwrap().iter_mut().next().unwrap();
    let digest = Fields::new("known identity").with("folder", name).with("files", &entry["files"]);
    entry["digest"] = digest.with("identity", &forged).key().to_string().into();
    entry["identity"] = forged.as_str().into();
    fs::write(&path, contents.to_string()).unwrap();
    assert_eq!(of(&memo), forged);

    // Other bytes of the same length in the same file, even with its old modification time: hashed anew.
    // File times tick in milliseconds; a change within the tick of the first writing would be invisible.
    std::thread::sleep(std::time::Duration::from_millis(30));
    let modified = fs::metadata(folder.file(SINGLE)).unwrap().modified().unwrap();
    write_safetensors(&folder.file(SINGLE), &[("w", "F32", &[1], &f32_bytes(&[2.0]))]);
    fs::File::options().append(true).open(folder.file(SINGLE)).unwrap().set_modified(modified).unwrap();
    let changed = of(&memo);
    assert_ne!(changed, forged);
    assert_eq!(changed, of(&Memo::none()));

    // A memo that is no memo counts as empty and is written anew.
    fs::write(&path, "{").unwrap();
    assert_eq!(of(&memo), changed);
    assert!(fs::read_to_string(&path).unwrap().contains(&changed));
}

#[test]
fn threads_that_share_a_memo_lose_nothing_of_each_other() {
    let folders: Vec<Folder> =
        (0..16).map(|n| Folder::with_tensors(&[("w", "F32", &[1], &f32_bytes(&[n as f32]))])).collect();
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("identities.json");
    let memo = Memo::at(&path);
    std::thread::scope(|scope| {
        for folder in &folders {
            scope.spawn(|| Checkpoint::open(folder.path()).unwrap().identity(&memo));
        }
    });
    let text = fs::read_to_string(&path).unwrap();
    for folder in &folders {
        let identity = Checkpoint::open(folder.path()).unwrap().identity(&Memo::none());
        assert!(text.contains(&identity.to_string()), "{text}");
    }
}

#[test]
fn every_golden_checkpoint_opens() {
    let goldens = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens");
    let mut opened = 0;
    for entry in fs::read_dir(goldens).unwrap() {
        let folder = entry.unwrap().path();
        if !folder.join("config.json").exists() {
            continue;
        }
        let checkpoint = Checkpoint::open(&folder).unwrap();
        let expected = folder.to_str().unwrap().rsplit('_').next().unwrap().to_uppercase();
        assert_eq!(checkpoint.dtype().to_uppercase(), expected, "{}", folder.display());
        opened += 1;
    }
    assert!(opened >= 10, "{opened}");
}
