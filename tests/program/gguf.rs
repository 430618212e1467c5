//! GGUF files where a command wants a model.

use crate::sandbox::{Sandbox, project};

#[test]
fn a_model_is_a_gguf_file_or_a_folder_that_holds_one() {
    let sandbox = Sandbox::new();
    let folder = project().join("tests/goldens/gguf/llama_q4_1_biases");
    let file = folder.join("model.gguf");
    let [of_file, of_folder] = [&file, &folder].map(|at| {
        let at = at.display().to_string();
        sandbox.json(&["measure", &at, "--tokens", "1,2,3", "--json", "--quiet"])
    });
    assert_eq!(of_file["observations"], of_folder["observations"]);
    assert_eq!(of_file["model"]["dtype"], "Q4_1");

    let file = file.display().to_string();
    let inspected = sandbox.json(&["inspect", &file, "--json", "--quiet"]);
    let dtypes: Vec<&str> = inspected["stored"]
        .as_array()
        .unwrap()
        .iter()
        .map(|share| share["dtype"].as_str().unwrap())
        .collect();
    assert_eq!(dtypes, ["F32", "Q4_1", "Q8_0"]);
    let bits = inspected["bits_per_weight"].as_f64().unwrap();
    assert!(bits > 5.0 && bits < 8.5, "{bits}");
    let (said, _) = sandbox.expect(0, &["inspect", &file, "--quiet"]);
    assert!(said.contains(" tensors as Q4_1") && said.contains("bits per weight"), "{said}");

    sandbox.write("damaged.gguf", "GGUF");
    let (_, error) = sandbox.expect(4, &["measure", "damaged.gguf", "--tokens", "1"]);
    assert!(error.contains("damaged.gguf: expected 4 bytes of the version"), "{error}");
    let (_, error) = sandbox.expect(4, &["measure", &file, "--prompt", "text"]);
    assert!(error.contains("`tokenizer.ggml.model`") && error.contains("--tokens"), "{error}");
    let (_, error) = sandbox.expect(4, &["measure", "missing.gguf", "--tokens", "1"]);
    assert!(error.contains("missing.gguf: expected a GGUF file, found no file"), "{error}");
}
