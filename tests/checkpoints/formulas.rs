//! What the runtime makes of `nn`'s functions, against the same formulas written out in float64. The
//! goldens cover what llama and gpt_neox use, these cover what other families will.

use engine::run::{Numbers, Runtime, evaluate};
use model::{
    graph::{Dim, Dtype, Graph},
    nn::{
        Scope, TOKENS,
        activation::Activation,
        attention::{self, Attention},
        length::length,
        mask::Mask,
        norm, rope,
    },
};

/// Name, shape, numbers.
type Input<'a> = (&'a str, Vec<usize>, Numbers<'a>);

fn floats<'a>(name: &'a str, shape: &[usize], data: &'a [f32]) -> Input<'a> {
    (name, shape.to_vec(), Numbers::Floats(data))
}

fn integers<'a>(name: &'a str, shape: &[usize], data: &'a [i64]) -> Input<'a> {
    (name, shape.to_vec(), Numbers::Integers(data))
}

fn run(graph: &Graph, inputs: Vec<Input<'_>>, output: &str) -> Vec<f32> {
    let inputs: Vec<_> = inputs.iter().map(|(name, shape, numbers)| (*name, &shape[..], *numbers)).collect();
    evaluate(&Runtime::load(None).unwrap(), graph, &inputs, output).unwrap()
}

fn close(found: &[f32], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        let error = (f64::from(*found) - expected).abs();
        assert!(error <= 2e-6 * expected.abs().max(1.0), "element {i}: {found} instead of {expected}");
    }
}

/// Numbers without a pattern in -2..2, the same every time.
fn numbers(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 22) as f32 - 2.0
    };
    (0..count).map(|_| next()).collect()
}

#[test]
fn activations_follow_their_formulas() {
    let tanh_gelu = |x: f64| 0.5 * x * (1.0 + (0.797_884_560_802_865_4 * (x + 0.044715 * x.powi(3))).tanh());
    let erf_gelu = |x: f64| 0.5 * x * (1.0 + statrs::function::erf::erf(x / 2f64.sqrt()));
    let formulas: [(&str, &dyn Fn(f64) -> f64); 4] = [
        ("relu", &|x| x.max(0.0)),
        ("silu", &|x| x / (1.0 + (-x).exp())),
        ("gelu", &erf_gelu),
        ("gelu_new", &tanh_gelu),
    ];
    let x: Vec<f32> = (-60..=60).map(|i| i as f32 / 10.0).collect();
    for (name, formula) in formulas {
        let mut graph = Graph::new(name);
        let mut s = Scope::new(&mut graph);
        let input = s.input("x", Dtype::F32, &[TOKENS]).unwrap();
        let y = Activation::read(name).unwrap().apply(&mut s, input).unwrap();
        s.output("y", y).unwrap();
        let found = run(&graph, vec![floats("x", &[x.len()], &x)], "y");
        close(&found, &x.iter().map(|x| formula(f64::from(*x))).collect::<Vec<_>>());
    }
}

#[test]
fn layer_norm_keeps_its_precision_under_a_large_offset() {
    let width = 64;
    let x: Vec<f32> = numbers(width, 3).iter().map(|x| x + 1000.0).collect();
    let mut graph = Graph::new("norm");
    let mut s = Scope::new(&mut graph);
    let input = s.input("x", Dtype::F32, &[TOKENS, Dim::Fixed(width)]).unwrap();
    let y = norm::layer_norm(&mut s, "ln", input, &[width], 1e-5, false).unwrap();
    s.output("y", y).unwrap();
    let ones = vec![1.0; width];
    let inputs = vec![floats("x", &[1, width], &x), floats("w:ln.weight", &[width], &ones)];
    let found = run(&graph, inputs, "y");
    let mean = x.iter().map(|x| f64::from(*x)).sum::<f64>() / width as f64;
    let centred: Vec<f64> = x.iter().map(|x| f64::from(*x) - mean).collect();
    let variance = centred.iter().map(|x| x * x).sum::<f64>() / width as f64;
    let expected = centred.iter().map(|x| x / (variance + 1e-5).sqrt());
    // The offset itself costs float32 digits of the mean: 1000 · 2^-24 relative to a spread of 1.
    for (found, expected) in found.iter().zip(expected) {
        assert!((f64::from(*found) - expected).abs() < 1e-4, "{found} instead of {expected}");
    }
}

#[test]
fn the_length_of_a_row_of_any_size_is_that_of_float64() {
    let width = 48;
    let mut graph = Graph::new("length");
    let mut s = Scope::new(&mut graph);
    let input = s.input("x", Dtype::F32, &[TOKENS, Dim::Fixed(width)]).unwrap();
    let y = length(&mut s, input).unwrap();
    s.output("y", y).unwrap();
    let of_rows = |x: &[f32]| run(&graph, vec![floats("x", &[x.len() / width, width], x)], "y");
    let directions = numbers(width, 9);
    // From rows of subnormal numbers to one whose norm is just below the largest float32.
    let x: Vec<f32> = (-148..=122).flat_map(|e| directions.iter().map(move |x| x * 2f32.powi(e))).collect();
    for (found, row) in of_rows(&x).iter().zip(x.chunks(width)) {
        let expected = row.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt();
        // Half of the smallest float32 beside the relative error: the result itself may be subnormal.
        let error = (f64::from(*found) - expected).abs();
        assert!(error <= 1e-6 * expected + 0.71e-45, "{found:e} instead of {expected:e}");
    }
    let mut ends = vec![0.0; 3 * width];
    (ends[width], ends[2 * width]) = (f32::INFINITY, f32::NAN);
    let found = of_rows(&ends);
    assert!(found[0] == 0.0 && found[1] == f32::INFINITY && found[2].is_nan(), "{found:?}");
}

#[test]
fn rotation_turns_half_split_pairs_and_leaves_the_rest() {
    let (heads, width, positions) = (2, 6, [0i64, 3, 11]);
    let frequencies = rope::Frequencies { inverse: vec![1.0, 0.1], factor: 1.0, beyond: None };
    let mut graph = Graph::new("rotate");
    let mut s = Scope::new(&mut graph);
    let p = s.input("positions", Dtype::I64, &[TOKENS]).unwrap();
    let rotary = rope::Rotary { name: "t", frequencies, pairs: rope::Pairs::Halves };
    rotary.publish(&mut s, p).unwrap();
    let tables: Vec<_> = ["t.cos", "t.sin"]
        .map(|name| run(&graph, vec![integers("positions", &[3], &positions)], name))
        .into();

    let mut graph = Graph::new("rotated");
    let mut s = Scope::new(&mut graph);
    let x = s.input("x", Dtype::F32, &[TOKENS, Dim::Fixed(heads), Dim::Fixed(width)]).unwrap();
    let t = rotary.tables(&mut s).unwrap();
    let y = rotary.turn(&mut s, x, (heads, width), t).unwrap();
    s.output("y", y).unwrap();
    let x = numbers(3 * heads * width, 5);
    let inputs = vec![
        floats("x", &[3, heads, width], &x),
        floats("t.cos", &[3, 1, 2], &tables[0]),
        floats("t.sin", &[3, 1, 2], &tables[1]),
    ];
    let mut expected: Vec<f64> = x.iter().map(|x| f64::from(*x)).collect();
    for (row, head) in expected.chunks_mut(width).enumerate() {
        for (i, frequency) in [1.0, 0.1f64].iter().enumerate() {
            let (sin, cos) = (positions[row / heads] as f64 * frequency).sin_cos();
            let (a, b) = (head[i], head[i + 2]);
            (head[i], head[i + 2]) = (a * cos - b * sin, b * cos + a * sin);
        }
    }
    close(&run(&graph, inputs, "y"), &expected);
}

#[test]
fn grouped_windowed_capped_attention_of_two_prompts() {
    let attention =
        Attention { heads: 4, kv_heads: 2, head_width: 3, value_width: 3, scale: 0.7, softcap: Some(1.5) };
    let Attention { heads, kv_heads, head_width: w, .. } = attention;
    let (lengths, window) = ([2usize, 5], 3usize);
    let mut graph = Graph::new("mask");
    let mask = Mask::everywhere(Some(window));
    mask.publish(&mut Scope::new(&mut graph)).unwrap();
    let seen = run(&graph, vec![integers("slots", &[5], &[0, 1, 2, 3, 4])], "mask");

    let mut graph = Graph::new("attend");
    let mut s = Scope::new(&mut graph);
    let mut input = |name: &str, n: usize| s.input(name, Dtype::F32, &[TOKENS, n.into(), w.into()]).unwrap();
    let qkv = [input("q", heads), input("k", kv_heads), input("v", kv_heads)];
    let y = attention::attend(&mut s, attention, qkv, None, mask).unwrap();
    s.output("y", y).unwrap();
    let shapes = [0, 1].map(|i| graph.shape(graph.outputs()[i]));
    assert_eq!(shapes, [&[TOKENS, Dim::Fixed(heads)], &[TOKENS, Dim::Fixed(heads * w)]]);
    let (q, k, v) = (numbers(7 * heads * w, 1), numbers(7 * kv_heads * w, 2), numbers(7 * kv_heads * w, 3));
    let to_prompts = [0, 1, 0, 0, 0, 2, 3, 4, 5, 6];
    let to_tokens = [0, 0, 0, 1, 1, 0, 1, 1, 1, 2, 1, 3, 1, 4];
    let inputs = || {
        vec![
            floats("q", &[7, heads, w], &q),
            floats("k", &[7, kv_heads, w], &k),
            floats("v", &[7, kv_heads, w], &v),
            floats("mask", &[5, 5], &seen),
            integers("to_prompts", &[2, 5], &to_prompts),
            integers("to_tokens", &[7, 2], &to_tokens),
            integers("slots", &[5], &[0, 1, 2, 3, 4]),
        ]
    };

    let row = |x: &[f32], n: usize, token: usize, head: usize| -> Vec<f64> {
        let start = (token * n + head) * w;
        x[start..start + w].iter().map(|x| f64::from(*x)).collect()
    };
    let (mut expected, mut off_diagonal) = (Vec::new(), Vec::new());
    for (start, length) in [(0, lengths[0]), (lengths[0], lengths[1])] {
        for query in 0..length {
            for head in 0..heads {
                let group = head / (heads / kv_heads);
                let q = row(&q, heads, start + query, head);
                let keys = (query + 1).saturating_sub(window)..query + 1;
                let weights: Vec<f64> = keys
                    .clone()
                    .map(|key| {
                        let k = row(&k, kv_heads, start + key, group);
                        let score = 0.7 * q.iter().zip(&k).map(|(a, b)| a * b).sum::<f64>();
                        (1.5 * (score / 1.5).tanh()).exp()
                    })
                    .collect();
                let sum: f64 = weights.iter().sum();
                off_diagonal.push((sum - weights[weights.len() - 1]) / sum);
                let mut mixed = vec![0.0; w];
                for (key, weight) in keys.zip(weights) {
                    for (m, v) in mixed.iter_mut().zip(row(&v, kv_heads, start + key, group)) {
                        *m += weight / sum * v;
                    }
                }
                expected.extend(mixed);
            }
        }
    }
    close(&run(&graph, inputs(), "y"), &expected);
    close(&run(&graph, inputs(), "off_diagonal"), &off_diagonal);
}
