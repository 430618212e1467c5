//! Models that are described in code and that no family has: blocks of one branch, of three and of two that attend, without
//! attention first, and with a carry, against the same arithmetic in float64.

use std::{fs, path::Path, sync::Arc};

use ndarray::{Array2, ArrayView1, Axis};

use base::{hash::Key, progress::Silent};
use engine::run::{Graphs, Runtime, observe};
use model::{
    arch::{Architecture, Block, Branch, Names, Recipe},
    checkpoint::Checkpoint,
    graph::{GraphError, Value},
    nn::{
        Scope, TOKENS,
        attention::{Attention, attend},
        linear::linear,
        mask::Mask,
    },
};
use number::{
    evidence::{Evidence, EvidenceTable, ModelInfo, PromptInfo, Tables},
    facts::ModelFacts,
    metric::{measurements, reconstructed_gains},
    observation::{ATTENTION, Extras, MLP, PromptObservation},
    protocol::{Bos, Reduction},
};
use study::judge::{hypothesis::Hypothesis, judge, outcome::Judgement};

const WIDTH: usize = 4;
const VOCABULARY: usize = 6;
const CARRY: f32 = 0.25;

/// Four blocks, each of its own kind.
#[derive(Debug)]
struct MadeUp;

impl Architecture for MadeUp {
    fn facts(&self) -> ModelFacts {
        ModelFacts {
            blocks: Some(4),
            width: Some(WIDTH as u32),
            heads: Some(2),
            vocabulary: Some(VOCABULARY as u32),
            context: Some(16),
            ..ModelFacts::default()
        }
    }

    fn names(&self) -> Names {
        Names::like_llama(true)
    }

    fn kind(&self, layer: usize) -> usize {
        layer
    }

    fn prelude(&self, s: &mut Scope, rows: Value, _positions: Value) -> Result<Value, GraphError> {
        Mask::everywhere(None).publish(s)?;
        Ok(rows)
    }

    fn block(&self, kind: usize, s: &mut Scope, x: Value) -> Result<Block, GraphError> {
        let mixer = |s: &mut Scope, x| {
            let mixed = linear(s, "mixer", x, (WIDTH, WIDTH), false)?;
            Ok(Branch::bare(x, mixed))
        };
        match kind {
            0 => Block::new(x).then(s, "mixer", mixer),
            1 => Block::new(x).then(s, "mixer", mixer)?.then(s, ATTENTION, |s, x| attention(s, x, 2))?.then(
                s,
                "square",
                |s, x| {
                    let output = s.mul(x, x)?;
                    Ok(Branch { input: x, output, write: s.scale(output, 0.125)? })
                },
            ),
            2 => {
                let mixed = mixer(s, x)?;
                let half = s.scale(x, -0.5)?;
                let block = Block::new(x).with(s, "mixer", mixed)?.with(s, MLP, Branch::bare(x, half))?;
                let carry = s.scalar(CARRY)?;
                block.times(s, carry)
            }
            _ => Block::new(x)
                .then(s, ATTENTION, |s, x| attention(s, x, 1))?
                .then(s, "second", |s, x| attention(s, x, 2)),
        }
    }

    fn final_norm(&self, _s: &mut Scope, x: Value) -> Result<Value, GraphError> {
        Ok(x)
    }
}

/// Attention whose queries, keys and values are the stream itself.
fn attention(s: &mut Scope, x: Value, heads: usize) -> Result<Branch, GraphError> {
    let width = WIDTH / heads;
    let split = s.reshape(x, &[TOKENS, heads.into(), width.into()])?;
    let all = Attention {
        heads,
        kv_heads: heads,
        head_width: width,
        value_width: width,
        scale: 0.5,
        softcap: None,
    };
    let mixed = attend(s, all, [split; 3], None, Mask::everywhere(None))?;
    Ok(Branch::bare(x, mixed))
}

/// What one branch of the reference reads, gives and writes, `[T, D]`, under its name.
type Step = (&'static str, [Array2<f64>; 3]);

/// [`attention`] in float64, and for each head the probability that tokens give to others.
fn attention64(x: &Array2<f64>, heads: usize) -> (Array2<f64>, Vec<f64>) {
    let (tokens, width) = (x.nrows(), WIDTH / heads);
    let mut mixed = Array2::zeros((tokens, WIDTH));
    let mut others = vec![0.0; heads];
    for head in 0..heads {
        let part = |token: usize| x.row(token).slice_move(ndarray::s![head * width..(head + 1) * width]);
        for query in 0..tokens {
            let scores: Vec<f64> = (0..=query).map(|key| (0.5 * part(query).dot(&part(key))).exp()).collect();
            let sum: f64 = scores.iter().sum();
            others[head] += (sum - scores[query]) / sum;
            for (key, score) in scores.iter().enumerate() {
                for (i, value) in part(key).iter().enumerate() {
                    mixed[[query, head * width + i]] += score / sum * value;
                }
            }
        }
    }
    (mixed, others)
}

fn weights(layer: usize) -> Array2<f32> {
    Array2::from_shape_fn((WIDTH, WIDTH), |(i, j)| ((i * 5 + j * 3 + layer) % 7) as f32 / 8.0 - 0.375)
}

fn embedding() -> Array2<f32> {
    Array2::from_shape_fn((VOCABULARY, WIDTH), |(i, j)| ((i * 4 + j * 7) % 11) as f32 / 4.0 - 1.25)
}

/// A checkpoint with the tensors of [`MadeUp`].
fn checkpoint(folder: &Path) -> Checkpoint {
    let mut tensors = vec![("model.embed_tokens.weight".to_string(), embedding())];
    tensors.extend([0, 1, 2].map(|layer| (format!("model.layers.{layer}.mixer.weight"), weights(layer))));
    let (mut header, mut data) = (serde_json::Map::new(), Vec::new());
    for (name, tensor) in &tensors {
        let start = data.len();
        data.extend(tensor.iter().flat_map(|x| x.to_le_bytes()));
        let entry =
            serde_json::json!({"dtype": "F32", "shape": tensor.shape(), "data_offsets": [start, data.len()]});
        header.insert(name.clone(), entry);
    }
    let header = serde_json::to_string(&header).unwrap();
    let file = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &data].concat();
    fs::write(folder.join("config.json"), "{}").unwrap();
    fs::write(folder.join("model.safetensors"), file).unwrap();
    Checkpoint::open(folder).unwrap()
}

fn close(found: f32, expected: f64, place: &str) {
    let error = (f64::from(found) - expected).abs();
    assert!(error <= 2e-6 * expected.abs().max(1.0), "{place}: {found} instead of {expected}");
}

fn norm(x: ArrayView1<'_, f64>) -> f64 {
    x.dot(&x).sqrt()
}

/// Compares one block: its branches, their sum, and what is kept of the stream `x` that enters it.
fn compare(
    seen: &PromptObservation,
    layer: usize,
    x: &Array2<f64>,
    carry: f64,
    steps: &[Step],
) -> Array2<f64> {
    let mut write = Array2::<f64>::zeros(x.dim());
    for (branch, [input, output, written]) in steps {
        write += written;
        for (tap, expected) in [("module_in", input), ("module_out", output), ("out", written)] {
            let name = format!("{branch}_{tap}");
            for (t, row) in expected.axis_iter(Axis(0)).enumerate() {
                close(seen.tap(&name)[[layer, t]], norm(row), &format!("{name}, block {layer}"));
            }
        }
    }
    let kept = x * carry;
    for (t, (kept, write)) in kept.rows().into_iter().zip(write.rows()).enumerate() {
        let place = format!("block {layer}, token {t}");
        close(seen.write()[[layer, t]], norm(write), &place);
        close(seen.kept()[[layer, t]], norm(kept), &place);
        close(seen.write_cosine()[[layer, t]], kept.dot(&write) / norm(kept) / norm(write), &place);
    }
    let next = kept + write;
    for (t, row) in next.rows().into_iter().enumerate() {
        close(seen.resid()[[layer + 1, t]], norm(row), &format!("stream after block {layer}"));
    }
    next
}

/// What is seen of two prompts.
fn observed(recipe: &Recipe) -> [(Vec<u32>, PromptObservation); 2] {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = checkpoint(folder.path());
    let graphs = Graphs::build(recipe).unwrap();
    let runtime = Runtime::load(None).unwrap();
    let prompts = [vec![2, 0, 5, 3], vec![1, 4]];
    let found = observe(&runtime, recipe, &graphs, &checkpoint, &prompts, &Extras::new(), &Silent).unwrap();
    let mut found = found.into_iter();
    prompts.map(|prompt| (prompt, found.next().unwrap()))
}

#[test]
fn blocks_of_any_branches_are_measured_as_they_are_defined() {
    let recipe = Recipe::of(Arc::new(MadeUp)).unwrap();
    assert_eq!(recipe.branches(0), ["mixer"]);
    assert_eq!(recipe.all_branches(), ["mixer", ATTENTION, "square", MLP, "second"]);
    for (prompt, seen) in &observed(&recipe) {
        let embedding = embedding().mapv(f64::from);
        let tokens: Vec<usize> = prompt.iter().map(|&id| id as usize).collect();
        let x = embedding.select(Axis(0), &tokens);
        let mixed = |layer: usize, x: &Array2<f64>| x.dot(&weights(layer).mapv(f64::from).t());
        let bare = |input: &Array2<f64>, output: Array2<f64>| [input.clone(), output.clone(), output];

        let x = compare(seen, 0, &x, 1.0, &[("mixer", bare(&x, mixed(0, &x)))]);

        let after_mixer = &x + &mixed(1, &x);
        let (attended, two_heads) = attention64(&after_mixer, 2);
        let after_attention = &after_mixer + &attended;
        let square = &after_attention * &after_attention;
        let steps = [
            ("mixer", bare(&x, mixed(1, &x))),
            (ATTENTION, bare(&after_mixer, attended)),
            ("square", [after_attention, square.clone(), square * 0.125]),
        ];
        let x = compare(seen, 1, &x, 1.0, &steps);

        let scaled = |output: Array2<f64>| [x.clone(), output.clone(), output * f64::from(CARRY)];
        let steps = [("mixer", scaled(mixed(2, &x))), (MLP, scaled(&x * -0.5))];
        let x = compare(seen, 2, &x, f64::from(CARRY), &steps);

        let (attended, one_head) = attention64(&x, 1);
        let between = &x + &attended;
        let (second, second_heads) = attention64(&between, 2);
        let steps = [(ATTENTION, bare(&x, attended)), ("second", bare(&between, second))];
        compare(seen, 3, &x, 1.0, &steps);

        // Blocks without attention have no heads, the last has one less than block 1.
        let heads = seen.off_diagonal();
        assert_eq!(heads.dim(), (4, 2));
        close(heads[[1, 0]], two_heads[0], "heads of block 1");
        close(heads[[1, 1]], two_heads[1], "heads of block 1");
        close(heads[[3, 0]], one_head[0], "head of block 3");
        let unknown = [heads[[0, 0]], heads[[2, 1]], heads[[3, 1]]];
        assert!(unknown.iter().all(|given| given.is_nan()), "{heads}");
        close(seen.tap("second_off_diagonal")[[3, 1]], second_heads[1], "heads of the second attention");
        assert!(seen.branch_out(MLP).row(0).iter().all(|norm| norm.is_nan()), "block 0 has no MLP");
        assert!(!seen.has("mixer_off_diagonal"));

        // The gain that follows from what is kept and what is written is that of the stream.
        for (layer, gain) in reconstructed_gains(seen, Reduction::Last).into_iter().enumerate() {
            let norms = [layer + 1, layer].map(|l| f64::from(seen.resid()[[l, prompt.len() - 1]]));
            assert!((gain.unwrap() / (norms[0] / norms[1]) - 1.0).abs() < 1e-5, "block {layer}");
        }
    }
}

/// The judgement of a claim about one quantity of the made-up model.
fn judged(quantity: &str) -> Judgement {
    let recipe = Recipe::of(Arc::new(MadeUp)).unwrap();
    let mut table = EvidenceTable {
        models: vec![ModelInfo { id: "made-up".into(), evidence: Evidence::Measured, facts: recipe.facts() }],
        ..EvidenceTable::default()
    };
    for (i, (_, seen)) in observed(&recipe).iter().enumerate() {
        let prompt = PromptInfo {
            id: format!("p{i}"),
            category: "c".into(),
            text: format!("text {i}"),
            sets: Vec::new(),
        };
        table.rows.extend(measurements("made-up", &prompt, seen, Bos::Auto));
        table.prompts.push(prompt);
    }
    let text = format!(
        r#"
        schema = 1
        id = "H0"
        title = "t"
        statement = "s"
        origin = "o"
        published-verdict = "v"
        status = "re-analysis"
        prompts = []
        protocol = "last/last-block/auto"
        [models]
        [[prediction]]
        id = "H0a"
        claim = "c"
        needs = {{ models = 1, prompts = 2 }}
        test = {{ kind = "mean-by-model", of = {quantity} }}
        rule = {{ supported = [{{ statistic = "models", at-least = 1 }}] }}
        "#
    );
    let hypothesis: Hypothesis = toml::from_str(&text).unwrap();
    let none = EvidenceTable::default();
    let tables = Tables { published: &none, measured: &table, rehearsal: &none };
    let outcome = judge(&hypothesis, Key::of_bytes(b"h"), tables, 7);
    let measured = outcome.predictions.into_iter().find(|p| p.evidence == Evidence::Measured);
    measured.unwrap().primary
}

#[test]
fn a_quantity_reads_the_numbers_of_a_branch_by_its_name() {
    let recipe = Recipe::of(Arc::new(MadeUp)).unwrap();
    let seen = observed(&recipe).map(|(_, seen)| seen);
    let mean = |of: &dyn Fn(&PromptObservation) -> f64| seen.iter().map(of).sum::<f64>() / seen.len() as f64;
    let last = |seen: &PromptObservation, tap: &str, layer: usize| {
        f64::from(*seen.tap(tap).row(layer).last().unwrap())
    };
    let heads = |seen: &PromptObservation| {
        seen.tap("second_off_diagonal").row(3).iter().map(|head| f64::from(*head)).sum::<f64>() / 2.0
    };
    for (metric, branch, layer, expected) in [
        ("branch-write", "square", 1, mean(&|seen| last(seen, "square_out", 1))),
        ("branch-write", "mixer", 2, mean(&|seen| last(seen, "mixer_out", 2))),
        (
            "branch-gain",
            "square",
            1,
            mean(&|seen| last(seen, "square_module_out", 1) / last(seen, "square_module_in", 1)),
        ),
        (
            "branch-over-residual",
            "second",
            3,
            mean(&|seen| last(seen, "second_out", 3) / last(seen, "resid", 3)),
        ),
        ("branch-off-diagonal", "second", 3, mean(&heads)),
        // Under the names that every transformer has.
        ("branch-write", "attn", 1, mean(&|seen| last(seen, "attn_out", 1))),
        ("branch-write", "mlp", 2, mean(&|seen| last(seen, "mlp_out", 2))),
    ] {
        let quantity =
            format!(r#"{{ metric = "{metric}", branch = "{branch}", select = {{ layer = {layer} }} }}"#);
        let judgement = judged(&quantity);
        let found = judgement.estimates.iter().find(|estimate| estimate.label.contains("made-up"));
        let found = found.unwrap_or_else(|| panic!("{quantity}: {judgement:#?}")).value.unwrap();
        assert!((found / expected - 1.0).abs() < 1e-9, "{quantity}: {found} instead of {expected}");
    }
    for (branch, layer) in [("triangle", 1), ("square", 0)] {
        let quantity =
            format!(r#"{{ metric = "branch-write", branch = "{branch}", select = {{ layer = {layer} }} }}"#);
        let missing = judged(&quantity).missing.join("; ");
        let expected = format!("of branch {branch:?}; branches: attn, mlp, mixer, second, square");
        assert!(missing.contains(&expected), "{missing}");
    }
}

#[test]
fn the_exported_graph_follows_the_list_of_branches() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = checkpoint(folder.path());
    let recipe = Recipe::of(Arc::new(MadeUp)).unwrap();
    let graph = recipe.whole(&checkpoint).unwrap();
    let names: Vec<&str> = graph.outputs().iter().map(|output| graph.name_of(*output)).collect();
    let of_block = |layer: usize| {
        let prefix = format!("blocks.{layer}.hook_");
        names.iter().filter_map(|name| name.strip_prefix(&prefix)).collect::<Vec<&str>>()
    };
    assert_eq!(of_block(0), ["resid_pre", "mixer_out", "resid_post"]);
    let three =
        ["resid_pre", "mixer_out", "resid_mid", "attn_out", "resid_mid_2", "square_out", "resid_post"];
    assert_eq!(of_block(1), three);
    assert_eq!(of_block(2), ["resid_pre", "mixer_out", "mlp_out", "resid_post"]);
}

#[test]
fn a_block_that_writes_nothing_is_refused() {
    #[derive(Debug)]
    struct Nothing;
    impl Architecture for Nothing {
        fn facts(&self) -> ModelFacts {
            MadeUp.facts()
        }
        fn names(&self) -> Names {
            MadeUp.names()
        }
        fn prelude(&self, _s: &mut Scope, rows: Value, _positions: Value) -> Result<Value, GraphError> {
            Ok(rows)
        }
        fn block(&self, _kind: usize, _s: &mut Scope, x: Value) -> Result<Block, GraphError> {
            Ok(Block::new(x))
        }
        fn final_norm(&self, _s: &mut Scope, x: Value) -> Result<Value, GraphError> {
            Ok(x)
        }
    }
    let message = Recipe::of(Arc::new(Nothing)).unwrap_err().to_string();
    assert!(message.contains("write nothing to the stream"), "{message}");
}
