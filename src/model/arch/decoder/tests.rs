//! Made-up families: choices that no known family makes, or makes together.

use std::{collections::BTreeMap, fs, sync::Arc};

use super::*;
use crate::{
    arch::{
        Recipe,
        choices::{MlpLayers, Norms},
        families::tests::small,
        rope::{RopeDefaults, RopeKeys},
        sizes::Sizes,
    },
    checkpoint::Checkpoint,
    graph::{Binary, Graph, Op},
    nn::{activation::Activation, mask::Mask},
};

/// LLaMA of width 8 and two layers.
fn llama() -> Decoder {
    let sizes: Sizes = serde_json::from_value(small("llama", "{}").into()).unwrap();
    let heads = sizes.attention("llama").unwrap();
    let rope = RopeKeys::default().resolve("llama", RopeDefaults::like_llama(heads, 8)).unwrap();
    let norm = Norm::rms("llama", "rms_norm_eps", 1e-6).unwrap();
    Decoder::like_llama("llama", (sizes, heads), norm, rope, Activation::Silu, false)
}

/// The second layer has fewer, wider heads, a narrower MLP, and attention that sees everything but positions.
fn uneven() -> Decoder {
    let narrow =
        Attention { heads: 4, kv_heads: 2, head_width: 4, value_width: 4, scale: 0.5, softcap: None };
    let wide = Attention { heads: 2, kv_heads: 1, head_width: 6, value_width: 6, scale: 0.4, softcap: None };
    llama().with_layers(|index, layer| match index {
        0 => Layer { heads: narrow, mlp_width: 10, mask: Mask::of_layer(Some(3)), ..layer },
        _ => Layer { heads: wide, mlp_width: 14, routed: false, mask: Mask::of_layer(None), rope: None },
    })
}

fn inputs(graph: &Graph) -> Vec<&str> {
    graph.inputs().iter().map(|input| graph.name_of(*input)).collect()
}

#[test]
fn layers_may_differ_in_heads_widths_window_and_positions() {
    let recipe = Recipe::of(Arc::new(uneven())).unwrap();
    let facts = recipe.facts();
    assert_eq!([facts.heads, facts.kv_heads, facts.head_width, facts.mlp_width], [None; 4]);
    let first =
        LayerFacts { heads: 4, kv_heads: 2, head_width: 4, mlp_width: 10, window: Some(3), positions: true };
    let second =
        LayerFacts { heads: 2, kv_heads: 1, head_width: 6, mlp_width: 14, window: None, positions: false };
    assert_eq!([recipe.layer(0), recipe.layer(1)], [first, second]);
    assert_eq!((recipe.heads(), recipe.kind(0), recipe.kind(1)), (4, 0, 1));
    let [first, second] = [0, 1].map(|kind| inputs(&recipe.modules().blocks[kind]));
    assert!(first.contains(&"rotary.cos") && first.contains(&"mask.window"));
    assert!(!second.contains(&"rotary.cos") && second.contains(&"mask"));
}

#[test]
fn weights_and_values_have_the_sizes_of_their_layer() {
    let recipe = Recipe::of(Arc::new(uneven())).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let values =
        [("model.layers.0.self_attn.v_proj.weight", 8), ("model.layers.1.self_attn.v_proj.weight", 6)];
    let ones: Vec<u8> = [1f32; 64].iter().flat_map(|x| x.to_le_bytes()).collect();
    let view = |rows: usize| {
        safetensors::tensor::TensorView::new(safetensors::Dtype::F32, vec![rows, 8], &ones[..32 * rows])
            .unwrap()
    };
    let tensors: BTreeMap<&str, _> = values.into_iter().map(|(name, rows)| (name, view(rows))).collect();
    safetensors::serialize_to_file(tensors, None, &folder.path().join("model.safetensors")).unwrap();
    fs::write(folder.path().join("config.json"), "{}").unwrap();
    let checkpoint = Checkpoint::open(folder.path()).unwrap();

    let shape = |tensor: &str| {
        let uses = recipe.weights(&checkpoint);
        uses.into_iter().find(|weight| weight.tensor == tensor).unwrap().shape
    };
    for (layer, queries, values, inner) in [(0, 16, 8, 10), (1, 12, 6, 14)] {
        let in_layer = |name: &str| shape(&format!("model.layers.{layer}.{name}.weight"));
        assert_eq!(in_layer("self_attn.q_proj"), [queries, 8]);
        assert_eq!(in_layer("self_attn.v_proj"), [values, 8]);
        assert_eq!(in_layer("self_attn.o_proj"), [8, queries]);
        assert_eq!(in_layer("mlp.down_proj"), [8, inner]);
    }
    let squares: Vec<Vec<f64>> = recipe
        .value_weights(&checkpoint)
        .iter()
        .map(|values| values.squares(&checkpoint.tensor(&values.tensor).unwrap()))
        .collect();
    assert_eq!(squares, [vec![32.0; 4], vec![48.0; 2]]);
    recipe.whole(&checkpoint).unwrap();
}

#[test]
fn factors_stand_on_rows_writes_and_logits() {
    let scaled = |graph: &Graph, factor: f32| {
        let is = |value: &Value| {
            let constant = graph.constants().iter().find(|(constant, _)| constant == value);
            constant.is_some_and(|(_, elements)| *elements == crate::graph::Constant::F32(vec![factor]))
        };
        let products = graph.nodes().iter().filter(|node| node.op == Op::Binary(Binary::Mul));
        products.filter(|node| node.inputs.iter().any(is)).count()
    };
    let scales =
        Decoder { embedding_scale: Some(12.0), write_scale: Some(0.22), logit_scale: Some(0.125), ..llama() };
    let recipe = Recipe::of(Arc::new(scales)).unwrap();
    let modules = recipe.modules();
    assert_eq!(scaled(&modules.prelude, 12.0), 1);
    assert_eq!(scaled(&modules.blocks[0], 0.22), 2);
    assert_eq!(scaled(&modules.head, 0.125), 1);
}

#[test]
fn norms_of_queries_and_keys_lead_the_rotation_or_follow_it() {
    let normed = |turned| {
        let norm = QkNorm::new(["q_norm", "k_norm"], QkWeights::Shared);
        let qk_norm = Some(QkNorm { turned, ..norm });
        Recipe::of(Arc::new(Decoder { qk_norm, ..llama() })).unwrap()
    };
    for (turned, first) in [(false, "w:self_attn.k_norm.weight"), (true, "rotary.cos")] {
        let recipe = normed(turned);
        let inputs = inputs(&recipe.modules().blocks[0]);
        let at = |name: &str| inputs.iter().position(|input| *input == name).unwrap();
        let second = if turned { "w:self_attn.q_norm.weight" } else { "rotary.cos" };
        assert!(at(first) < at(second), "{inputs:?}");
    }
}

#[test]
fn a_head_of_rows_of_length_one_divides_each_row_before_it_multiplies() {
    let head = |unit_head| {
        let recipe = Recipe::of(Arc::new(Decoder { unit_head, ..llama() })).unwrap();
        let graph = &recipe.modules().head;
        let takes_rows = |node: &&crate::graph::Node| {
            node.inputs.iter().any(|input| graph.name_of(*input) == crate::arch::UNEMBEDDING)
        };
        graph.nodes().iter().filter(takes_rows).map(|node| node.op.clone()).collect::<Vec<Op>>()
    };
    assert_eq!(head(false), [Op::Gemm]);
    let divided = head(true);
    assert!(matches!(divided[..], [Op::Reduce { .. }, Op::Binary(Binary::Div)]), "{divided:?}");
}

#[test]
fn heads_of_which_no_component_turns_pass_as_they_are() {
    let with_pairs = |pairs: usize| {
        let mut decoder = llama();
        decoder.ropes[0].rotary.frequencies.inverse.truncate(pairs);
        Recipe::of(Arc::new(decoder)).unwrap()
    };
    for (pairs, turned) in [(1, true), (0, false)] {
        let recipe = with_pairs(pairs);
        let modules = recipe.modules();
        let takes = inputs(&modules.blocks[0]).iter().any(|name| name.starts_with("rotary."));
        let gives = modules.prelude.outputs().iter();
        let gives = gives.filter(|output| modules.prelude.name_of(**output).starts_with("rotary.")).count();
        assert_eq!((takes, gives, recipe.layer(0).positions), (turned, 2 * usize::from(turned), turned));
    }
}

#[test]
fn an_mlp_beside_attention_reads_through_its_own_norm_where_it_has_one() {
    let parallel = |norms| Decoder {
        residual: Residual::Parallel,
        norms,
        mlp: MlpLayers::Plain(["fc1", "fc2"]),
        ..llama()
    };
    let norms = |norms| {
        let recipe = Recipe::of(Arc::new(parallel(norms))).unwrap();
        let graph = &recipe.modules().blocks[0];
        inputs(graph).iter().filter(|name| name.contains("norm")).count()
    };
    assert_eq!(norms(Norms::shared("input_layernorm")), 1);
    assert_eq!(norms(Norms::before("attention_norm", "mlp_norm")), 2);
}
