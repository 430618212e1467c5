//! What a config of one family alone has.

use serde_json::{Value as Json, json};

use super::{
    error::GgufError,
    source::{Config, Source},
    value::Value,
};

/// llama.cpp's own where a file has none.
const GEMMA2_WINDOW: u64 = 4096;
const GEMMA2_SCORE_CAP: f64 = 50.0;
const GEMMA2_LOGIT_CAP: f64 = 30.0;
const GEMMA3_LOCAL_BASE: f64 = 10_000.0;
/// Numbers of blocks of the 27b of Gemma 2 and of Gemma 3, whose scores are scaled by the share of a head in the stream, not
/// by its width: llama.cpp knows them by these numbers.
const GEMMA2_27B: u64 = 46;
const GEMMA3_27B: u64 = 62;

/// The class has rotary parameters of its own where a config has none.
pub(super) fn apertus(_: &Source<'_>, config: &mut Config) -> Result<(), GgufError> {
    if !config.contains_key("rope_scaling") {
        config.insert("rope_parameters".into(), json!({"rope_type": "default"}));
    }
    Ok(())
}

pub(super) fn bloom(source: &Source<'_>, config: &mut Config) -> Result<(), GgufError> {
    config.insert("seq_length".into(), source.need_size("context_length")?.into());
    let (width, inside) = (source.need_size("embedding_length")?, source.need_size("feed_forward_length")?);
    if width.checked_mul(4) != Some(inside) {
        let expected = format!("4 times the width of the stream, {width}");
        return Err(source.refuse("feed_forward_length", &expected, inside.to_string()));
    }
    Ok(())
}

pub(super) fn cohere(source: &Source<'_>, config: &mut Config) -> Result<(), GgufError> {
    config.insert("logit_scale".into(), source.need_number("logit_scale")?.into());
    Ok(())
}

pub(super) fn falcon(source: &Source<'_>, config: &mut Config) -> Result<(), GgufError> {
    const LAYOUT: &str = "tensor_data_layout";
    let layout = source.metadata.text(&source.key(LAYOUT))?;
    if let Some(layout) = layout.filter(|layout| *layout != "jploski") {
        return Err(source.refuse(LAYOUT, "\"jploski\"", format!("{layout:?}")));
    }
    let (_, kv_heads) = source.heads()?;
    let two_norms = source.has("blk.0.attn_norm_2.weight");
    // With one norm and one key, both architectures compute the same.
    let grouped = two_norms || kv_heads > 1;
    config.insert("new_decoder_architecture".into(), grouped.into());
    config.insert("num_kv_heads".into(), kv_heads.into());
    config.insert("num_ln_in_parallel_attn".into(), (1 + u64::from(two_norms)).into());
    config.insert("multi_query".into(), true.into());
    config.insert("parallel_attn".into(), true.into());
    config.insert("bias".into(), source.has("blk.0.attn_qkv.bias").into());
    config.insert("ffn_hidden_size".into(), source.need_size("feed_forward_length")?.into());
    Ok(())
}

pub(super) fn gemma2(source: &Source<'_>, config: &mut Config) -> Result<(), GgufError> {
    config.remove("hidden_act").and_then(|act| config.insert("hidden_activation".into(), act));
    config.insert("query_pre_attn_scalar".into(), gemma_scale(source, GEMMA2_27B)?);
    let window = source.size("attention.sliding_window")?.unwrap_or(GEMMA2_WINDOW);
    config.insert("sliding_window".into(), window.into());
    config.insert("layer_types".into(), layer_types(source, 2)?);
    for (name, absent) in
        [("attn_logit_softcapping", GEMMA2_SCORE_CAP), ("final_logit_softcapping", GEMMA2_LOGIT_CAP)]
    {
        config.insert(name.into(), source.number(name)?.unwrap_or(absent).into());
    }
    Ok(())
}

pub(super) fn gemma3(source: &Source<'_>, config: &mut Config) -> Result<(), GgufError> {
    config.remove("hidden_act").and_then(|act| config.insert("hidden_activation".into(), act));
    config.insert("query_pre_attn_scalar".into(), gemma_scale(source, GEMMA3_27B)?);
    let window = source.size("attention.sliding_window")?.filter(|window| *window > 0);
    config.insert("sliding_window".into(), window.into());
    let types = if window.is_some() { layer_types(source, 6)? } else { types_of(source, |_| false)? };
    config.insert("layer_types".into(), types);
    config.insert(
        "rope_local_base_freq".into(),
        source.number("rope.freq_base_swa")?.unwrap_or(GEMMA3_LOCAL_BASE).into(),
    );
    config.insert("final_logit_softcapping".into(), source.number("final_logit_softcapping")?.into());
    Ok(())
}

/// The number whose root divides scores.
fn gemma_scale(source: &Source<'_>, largest: u64) -> Result<Json, GgufError> {
    let (width, heads) = (source.need_size("embedding_length")?, source.need_size("attention.head_count")?);
    let of_stream = width as f64 / heads as f64;
    let of_head = source.head_width()?.map_or(of_stream, |width| width as f64);
    let is_largest = source.need_size("block_count")? == largest;
    Ok(if is_largest { of_stream } else { of_head }.into())
}

/// The kinds of blocks: a pattern of windows that the file gives block by block or by its length, of which the last block sees
/// all.
fn layer_types(source: &Source<'_>, usual: u64) -> Result<Json, GgufError> {
    const PATTERN: &str = "attention.sliding_window_pattern";
    let key = source.key(PATTERN);
    if let Some(Value::List(_)) = source.metadata.get(&key) {
        let slides = source.metadata.flags(&key)?.unwrap_or_default();
        let blocks = source.need_size("block_count")?;
        if slides.len() as u64 != blocks {
            return Err(source.refuse(
                PATTERN,
                &format!("a flag for each of {blocks} blocks"),
                slides.len().to_string(),
            ));
        }
        return types_of(source, |layer| slides[layer as usize]);
    }
    let length = source.size(PATTERN)?.unwrap_or(usual);
    types_of(source, |layer| length == 0 || layer % length < length - 1)
}

fn types_of(source: &Source<'_>, slides: impl Fn(u64) -> bool) -> Result<Json, GgufError> {
    const MOST: u64 = 1 << 12;
    let blocks = source.need_size("block_count")?;
    if blocks > MOST {
        return Err(source.refuse("block_count", &format!("at most {MOST}"), blocks.to_string()));
    }
    let name = |layer| if slides(layer) { "sliding_attention" } else { "full_attention" };
    Ok((0..blocks).map(name).collect())
}

pub(super) fn gpt2(source: &Source<'_>, config: &mut Config) -> Result<(), GgufError> {
    config.insert("n_inner".into(), source.need_size("feed_forward_length")?.into());
    config.remove("hidden_act").and_then(|act| config.insert("activation_function".into(), act));
    Ok(())
}

pub(super) fn gpt_neox(source: &Source<'_>, config: &mut Config) -> Result<(), GgufError> {
    const PARALLEL: &str = "use_parallel_residual";
    config.remove("rope_theta").and_then(|base| config.insert("rotary_emb_base".into(), base));
    let parallel = source.metadata.flag(&source.key(PARALLEL))?.unwrap_or(true);
    config.insert(PARALLEL.into(), parallel.into());
    Ok(())
}

/// The window is 0 in files of models without one.
pub(super) fn phi3(source: &Source<'_>, config: &mut Config) -> Result<(), GgufError> {
    let window = source.size("attention.sliding_window")?.filter(|window| *window > 0);
    config.insert("sliding_window".into(), window.into());
    Ok(())
}

/// What blocks are follows from their norms, as llama.cpp reads them: its converter takes a config without the key for parallel
/// ones, which the class does not.
pub(super) fn stablelm(source: &Source<'_>, config: &mut Config) -> Result<(), GgufError> {
    config.insert("use_parallel_residual".into(), (!source.has("blk.0.ffn_norm.weight")).into());
    Ok(())
}
