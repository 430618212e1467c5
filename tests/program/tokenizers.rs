//! Tokenizers of strangers: one that its library gives up on costs the model that it belongs to, and nothing else.

use super::sandbox::Sandbox;

/// A sandbox in which the tokenizer of llama3-tiny makes the `tokenizers` crate panic while it opens it: no right half of a
/// merge is as long as the prefix it is to have.
fn with_a_panic() -> Sandbox {
    let sandbox = Sandbox::new();
    let (from, to) =
        (r#""continuing_subword_prefix": null"#, r#""continuing_subword_prefix": "ten letters""#);
    sandbox.edit("data/zoo/llama3-tiny/tokenizer.json", from, to);
    sandbox
}

#[test]
fn a_tokenizer_that_panics_costs_one_model_of_a_run() {
    let sandbox = with_a_panic();
    let (_, said) = sandbox.expect(1, &["run"]);
    assert!(said.contains("llama3-tiny/tokenizer.json") && said.contains("gave up"), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    let verdicts: serde_json::Value = serde_json::from_str(&sandbox.read("results/verdicts.json")).unwrap();
    let judged = verdicts.to_string();
    assert!(judged.contains("pythia-tiny"), "the others are measured and judged");
}

#[test]
fn text_needs_a_tokenizer_and_token_ids_need_none() {
    let sandbox = with_a_panic();
    let (_, said) = sandbox.expect(4, &["measure", "llama3-tiny", "--prompt", "x"]);
    assert!(
        said.contains("tokenizer.json") && said.contains("--tokens") && !said.contains("panicked"),
        "{said}"
    );
    let (text, said) = sandbox.expect(0, &["measure", "llama3-tiny", "--tokens", "5,6"]);
    assert!(!said.contains("tokenizer") && text.contains("next: \"<"), "{text}{said}");

    // Where one can be opened, ids are shown with their texts.
    let (text, _) = Sandbox::new().expect(0, &["measure", "llama3-tiny", "--tokens", "5,6"]);
    assert!(text.contains("next: \"") && !text.contains("next: \"<"), "{text}");
}
