//! Blocks with experts: which of them are read, and what damages are said of those that are.

use std::fs;

use ndarray::Axis;
use serde_json::Value;

use crate::goldens::{golden, prompts, run};

const CASE: &str = "olmoe_1b_7b_bf16";
const EXPERTS: usize = 9;

/// A copy of the golden in which one matrix of an expert is not-a-number.
fn damaged(block: usize, expert: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(golden(CASE).join("config.json"), folder.path().join("config.json")).unwrap();
    let mut bytes = fs::read(golden(CASE).join("model.safetensors")).unwrap();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    let tensor = &header[format!("model.layers.{block}.mlp.experts.{expert}.up_proj.weight")];
    let at = |end: usize| 8 + length + tensor["data_offsets"][end].as_u64().unwrap() as usize;
    bytes[at(0)..at(1)].fill(0xff);
    fs::write(folder.path().join("model.safetensors"), bytes).unwrap();
    folder
}

#[test]
fn an_expert_that_no_token_chooses_is_not_read_and_one_that_is_damaged_is_named() {
    let short = &prompts(CASE)[..2]; // of one token and two
    let whole = run(&golden(CASE), short).unwrap();
    let chosen = |block: usize, expert: usize| {
        whole.iter().any(|seen| seen.tap("expert_tokens").index_axis(Axis(0), block)[expert] > 0.0)
    };
    let find = |wanted: bool| {
        let all = (0..2).flat_map(|block| (0..EXPERTS).map(move |expert| (block, expert)));
        all.into_iter().find(|(block, expert)| chosen(*block, *expert) == wanted).unwrap()
    };
    let (block, expert) = find(false);
    assert_eq!(run(damaged(block, expert).path(), short).unwrap(), whole);
    let (block, expert) = find(true);
    let message = run(damaged(block, expert).path(), short).unwrap_err().to_string();
    let tensor = format!("model.layers.{block}.mlp.experts.{expert}.up_proj.weight");
    let place = format!("expert {expert} of block {block}: ");
    assert!(message.starts_with(&place) && message.contains(&tensor), "{message}");
}

#[test]
fn every_token_chooses_as_many_experts_as_the_config_says() {
    for seen in run(&golden(CASE), &prompts(CASE)).unwrap() {
        for shares in seen.tap("expert_tokens").rows() {
            assert!((shares.sum() - 4.0).abs() < 1e-5, "{shares}");
        }
        let weights = seen.tap("expert_weight");
        assert_eq!(weights.dim(), (2, 4 * seen.tokens()));
        let falls =
            |choices: &[f32]| choices.is_sorted_by(|a, b| a >= b) && choices.iter().sum::<f32>() < 1.0;
        assert!(weights.rows().into_iter().all(|row| row.to_vec().chunks(4).all(falls)), "{weights}");
        assert_eq!(seen.number("router_near_ties"), Some(0.0)); // goldens are made so
    }
}
