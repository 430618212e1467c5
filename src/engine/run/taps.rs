//! What the outputs of a tapped decoder show of a prompt: the same numbers as a streamed run, reduced here instead of in
//! the graph.

use std::collections::BTreeMap;

use ndarray::Array2;

use super::{
    Floats, RunError,
    head::{Distribution, Piece},
};
use number::observation::{ATTENTION, MLP, PromptObservation};

/// Outputs by TransformerLens name, each `[.., T, width]` in float32, to an observation of `token_ids`.
///
/// `hook_attn_out` and `hook_mlp_out` may be missing (a fused kernel need not show them): their norms are then NaN. So are
/// those of the final norm at positions that the decoder leaves out, as many do before the unembedding, and those inside
/// the branches, of which no tap is read.
///
/// # Errors
/// No stream before or after some block, no final norm, no logits, or one with another number of tokens. `file` names the
/// decoder in them.
pub fn observation(
    file: &str,
    outputs: &BTreeMap<String, Floats>,
    token_ids: &[u32],
) -> Result<PromptObservation, RunError> {
    let tokens = token_ids.len();
    let blocks = (0..).take_while(|l| outputs.contains_key(&resid_post(*l))).count();
    let rows = |name: &str| -> Result<Vec<&[f32]>, RunError> {
        let (shape, data) = outputs.get(name).ok_or_else(|| RunError::NoTap {
            file: file.to_string(),
            tap: name.to_string(),
            blocks,
        })?;
        let width = shape.last().copied().filter(|width| *width > 0).unwrap_or(1);
        Ok(data.chunks(width).collect())
    };
    let every = |name: &str, rows: Vec<f32>| -> Result<Vec<f32>, RunError> {
        if rows.len() == tokens {
            return Ok(rows);
        }
        Err(RunError::TapTokens { file: file.to_string(), tap: name.to_string(), found: rows.len(), tokens })
    };
    let stream: Vec<String> = std::iter::once("blocks.0.hook_resid_pre".to_string())
        .chain((0..blocks.max(1)).map(resid_post))
        .collect();
    let mut resid = Vec::new();
    let mut max_abs = Vec::new();
    for name in &stream {
        let rows = rows(name)?;
        resid.extend(every(name, rows.iter().map(|row| norm(row)).collect())?);
        max_abs.extend(rows.iter().map(|row| row.iter().fold(0.0, |most: f32, x| most.max(x.abs()))));
    }
    let (mut write, mut write_cosine) = (Vec::new(), Vec::new());
    for pair in stream.windows(2) {
        for (before, after) in rows(&pair[0])?.iter().zip(rows(&pair[1])?) {
            let added: Vec<f32> = before.iter().zip(after).map(|(before, after)| after - before).collect();
            write.push(norm(&added));
            write_cosine.push(cosine(before, &added));
        }
    }
    let unknown = || Array2::from_elem((blocks, tokens), f32::NAN);
    let branch = |hook: &str| -> Result<Array2<f32>, RunError> {
        let mut norms = Vec::new();
        for block in 0..blocks {
            let name = format!("blocks.{block}.{hook}");
            match rows(&name) {
                Ok(rows) => norms.extend(every(&name, rows.iter().map(|row| norm(row)).collect())?),
                Err(_) => norms.extend(std::iter::repeat_n(f32::NAN, tokens)),
            }
        }
        Ok(table(blocks, tokens, norms))
    };
    let normed = rows("ln_final.hook_normalized")?;
    let mut final_norm = Array2::from_elem((1, tokens), f32::NAN);
    let known = normed.len().min(tokens);
    for (t, row) in normed.iter().rev().take(known).enumerate() {
        final_norm[[0, tokens - 1 - t]] = norm(row); // the last ones, where some are left out
    }
    let logits = rows("logits")?;
    let last = logits.last().copied().unwrap_or_default();
    let mut distribution = Distribution::default();
    distribution.add(Piece::of(last), last.iter().copied().zip(0..));
    let mut seen = PromptObservation::new(token_ids.to_vec(), [ATTENTION, MLP]);
    seen.put("resid", table(blocks + 1, tokens, resid));
    seen.put("max_abs", table(blocks + 1, tokens, max_abs));
    for name in [ATTENTION, MLP] {
        seen.put(&format!("{name}_module_in"), unknown());
        seen.put(&format!("{name}_module_out"), unknown());
        seen.put(&format!("{name}_out"), branch(&format!("hook_{name}_out"))?);
    }
    seen.put("write", table(blocks, tokens, write));
    seen.put("write_cosine", table(blocks, tokens, write_cosine));
    seen.put("attn_off_diagonal", Array2::zeros((blocks, 0)));
    seen.put("final_norm", final_norm);
    seen.put_number("entropy_nats", Some(distribution.entropy() as f32));
    seen.top = distribution.top();
    Ok(seen)
}

fn resid_post(block: usize) -> String {
    format!("blocks.{block}.hook_resid_post")
}

/// `[rows, tokens]`; the caller has made sure of the number of elements.
fn table(rows: usize, tokens: usize, elements: Vec<f32>) -> Array2<f32> {
    Array2::from_shape_vec((rows, tokens), elements)
        .unwrap_or_else(|_| Array2::from_elem((rows, tokens), f32::NAN))
}

fn norm(row: &[f32]) -> f32 {
    dot(row, row).sqrt() as f32
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

/// 0 where one of the two is 0.
fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let size = (dot(a, a) * dot(b, b)).sqrt();
    if size > 0.0 { (dot(a, b) / size) as f32 } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outputs(left_out: &str) -> BTreeMap<String, Floats> {
        let two = || (vec![1, 2, 2], vec![3.0, 4.0, 0.0, -5.0]);
        let names = ["blocks.0.hook_resid_pre", "blocks.0.hook_attn_out", "blocks.0.hook_resid_post"];
        let mut all: BTreeMap<String, Floats> =
            names.iter().map(|name| ((*name).to_string(), two())).collect();
        all.insert("ln_final.hook_normalized".to_string(), (vec![1, 1, 2], vec![0.6, 0.8]));
        all.insert("logits".to_string(), (vec![1, 1, 3], vec![0.0, 2.0, 2.0]));
        all.remove(left_out);
        all
    }

    #[test]
    fn outputs_become_norms_and_what_is_not_given_is_nan() {
        let seen = observation("m.onnx", &outputs(""), &[7, 8]).unwrap();
        assert_eq!((seen.resid().nrows(), seen.blocks(), seen.tokens()), (2, 1, 2));
        let stream = (seen.resid()[[1, 0]], seen.max_abs()[[1, 1]]);
        assert_eq!((stream, seen.branch_out(ATTENTION)[[0, 1]]), ((5.0, 5.0), 5.0));
        assert!(seen.branch_out(MLP).iter().chain(seen.module_in(ATTENTION)).all(|x| x.is_nan()));
        assert_eq!((seen.write()[[0, 0]], seen.write_cosine()[[0, 0]]), (0.0, 0.0)); // the block adds nothing here
        assert_eq!((seen.off_diagonal().dim(), seen.number("logit_shift")), ((1, 0), None));
        assert!(seen.final_norm()[0].is_nan() && seen.final_norm()[1] == 1.0);
        assert_eq!(seen.top.iter().map(|t| t.id).collect::<Vec<_>>(), [1, 2, 0]);
        let z = 2.0 + (-2f64).exp();
        let entropy = -2.0 * (1.0 / z) * (1.0 / z).ln() - ((-2f64).exp() / z) * ((-2f64).exp() / z).ln();
        assert!((f64::from(seen.number("entropy_nats").unwrap()) - entropy).abs() < 1e-6);
    }

    #[test]
    fn a_missing_tap_and_another_number_of_tokens_are_named() {
        for tap in
            ["blocks.0.hook_resid_pre", "blocks.0.hook_resid_post", "ln_final.hook_normalized", "logits"]
        {
            let message = observation("m.onnx", &outputs(tap), &[7, 8]).unwrap_err().to_string();
            assert!(message.contains("m.onnx") && message.contains(tap), "{message}");
        }
        let message = observation("m.onnx", &outputs(""), &[7, 8, 9]).unwrap_err().to_string();
        assert!(message.contains("2 tokens") && message.contains("3"), "{message}");
    }
}
