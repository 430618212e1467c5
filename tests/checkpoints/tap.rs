//! Decoders that other tools exported, tapped, run, and compared with what the same checkpoint measures elsewhere.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use crate::sandbox::{Sandbox, project};
use engine::run::{Decoder, Floats, Runtime};
use model::tap;
use serde::Deserialize;
use serde_json::Value;

/// Graphs made by hand.
mod toy {
    use model::onnx::proto::{GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto};
    use prost::Message;

    /// `output = Op(input, …)`, one line per node, named after its output; other names in capitals are weights.
    pub(super) fn graph(lines: &str, output: &str) -> Vec<u8> {
        let node = |line: &str| {
            let (out, call) = line.trim().split_once(" = ").unwrap();
            let (op, inputs) = call.trim_end_matches(')').split_once('(').unwrap();
            NodeProto {
                input: inputs.split(", ").map(str::to_string).collect(),
                output: vec![out.to_string()],
                name: Some(format!("node_{out}")),
                op_type: Some(op.to_string()),
                attribute: vec![],
                domain: None,
            }
        };
        let info = |name: &str| ValueInfoProto { name: Some(name.to_string()), r#type: None };
        let weight = |name: &str| TensorProto {
            dims: vec![8, 8],
            name: Some(name.to_string()),
            ..TensorProto::default()
        };
        let graph = GraphProto {
            node: lines.trim().lines().map(node).collect(),
            name: Some("toy".to_string()),
            initializer: ["W", "E"].map(weight).to_vec(),
            input: vec![info("ids")],
            output: if output.is_empty() { vec![] } else { vec![info(output)] },
        };
        ModelProto { graph: Some(graph), ..ModelProto::default() }.encode_to_vec()
    }
}

/// Largest relative error of a norm in a float32 export.
const TOLERANCE: f64 = 1e-5;

/// `tests/goldens/<case>/reference.json`, or `tests/foreign/<family>.json`: norms per token.
#[derive(Deserialize)]
struct Reference {
    prompts: Vec<Prompt>,
}

#[derive(Deserialize)]
struct Prompt {
    token_ids: Vec<u32>,
    resid: Vec<Vec<f64>>,
    attn_out: Vec<Vec<f64>>,
    mlp_out: Vec<Vec<f64>>,
    r#final: Vec<f64>,
}

fn foreign(name: &str) -> PathBuf {
    project().join("tests/foreign").join(name)
}

fn reference(case: &str) -> Reference {
    let golden = project().join("tests/goldens").join(case).join("reference.json");
    let path = if golden.is_file() { golden } else { foreign(&format!("{case}.json")) };
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// Taps a foreign file into a folder, with its external data beside it if it has some.
fn tapped(file: &Path, folder: &Path) -> (PathBuf, Vec<String>) {
    let bytes = tap::map(file).unwrap();
    let found = tap::find(&bytes, file).unwrap_or_else(|e| panic!("{e}"));
    let data = foreign("model.onnx.data");
    fs::copy(&data, folder.join("model.onnx.data")).unwrap();
    let target = folder.join("tapped.onnx");
    let taps = found.write(&[], &target).unwrap_or_else(|e| panic!("{e}"));
    (target, taps.iter().map(|tap| tap.name.clone()).collect())
}

/// The size of a head is named, not fixed, in files of onnxruntime-genai.
fn run(file: &Path, prompts: &[Prompt]) -> Vec<BTreeMap<String, Floats>> {
    let mut decoder = Decoder::open(&Runtime::load(None).unwrap(), file).unwrap();
    let sizes = BTreeMap::from([("kv_cache_dim".to_string(), 16)]);
    prompts.iter().map(|prompt| decoder.run(&prompt.token_ids, &sizes).unwrap()).collect()
}

/// Norms of `[1, T, D]` over the last axis.
fn norms((shape, data): &Floats) -> Vec<f64> {
    assert_eq!(shape.len(), 3, "{shape:?}");
    data.chunks(shape[2])
        .map(|token| token.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>().sqrt())
        .collect()
}

/// The largest relative error of all taps over all prompts, and how many norms were compared.
fn worst(found: &[BTreeMap<String, Floats>], reference: &Reference, taps: &[String]) -> (f64, String, usize) {
    let (mut worst, mut place, mut compared) = (0.0, String::new(), 0);
    for (outputs, prompt) in found.iter().zip(&reference.prompts) {
        let blocks = prompt.attn_out.len();
        let mut expected: BTreeMap<String, &Vec<f64>> = BTreeMap::new();
        expected.insert("blocks.0.hook_resid_pre".to_string(), &prompt.resid[0]);
        expected.insert("ln_final.hook_normalized".to_string(), &prompt.r#final);
        for at in 0..blocks {
            expected.insert(format!("blocks.{at}.hook_resid_post"), &prompt.resid[at + 1]);
            expected.insert(format!("blocks.{at}.hook_attn_out"), &prompt.attn_out[at]);
            expected.insert(format!("blocks.{at}.hook_mlp_out"), &prompt.mlp_out[at]);
        }
        let mids = taps.iter().filter(|tap| tap.ends_with("hook_resid_mid")).count();
        assert_eq!(taps.len(), expected.len() + mids, "{taps:?}");
        for (tap, expected) in expected {
            let found = norms(&outputs[&tap]);
            assert_eq!(found.len(), expected.len(), "{tap}");
            for (found, expected) in found.iter().zip(expected) {
                compared += 1;
                let error = (found - expected).abs() / expected;
                if error.is_nan() || error > worst {
                    (worst, place) = (error, tap.clone());
                }
            }
        }
    }
    (worst, place, compared)
}

#[test]
fn every_float_export_gives_the_norms_of_its_checkpoint_at_every_tap() {
    let mut failures = Vec::new();
    for (file, case, kind) in [
        ("torch_dynamo_gpt_neox_full_rotary_f32", "gpt_neox_full_rotary_f32", tap::Kind::Parallel),
        ("torch_dynamo_llama_biases_f32", "llama_biases_f32", tap::Kind::Sequential),
        ("torch_dynamo_gpt2", "gpt2", tap::Kind::Sequential),
        ("torch_dynamo_gemma2", "gemma2", tap::Kind::Sequential),
        ("torch_script_llama_mha_f32", "llama_mha_f32", tap::Kind::Sequential),
        ("genai_fp32_llama_gqa_heads16_f32", "llama_gqa_heads16_f32", tap::Kind::Sequential),
        ("ort_fused_llama_mha_f32", "llama_mha_f32", tap::Kind::Sequential),
        ("ort_fused_gpt_neox_full_rotary_f32", "gpt_neox_full_rotary_f32", tap::Kind::Parallel),
        ("optimum_past_gpt_neox_full_rotary_f32", "gpt_neox_full_rotary_f32", tap::Kind::Parallel),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let source = foreign(&format!("{file}.onnx"));
        let reference = reference(case);
        let bytes = tap::map(&source).unwrap();
        let kinds = tap::find(&bytes, &source).unwrap_or_else(|e| panic!("{e}")).blocks;
        assert_eq!(kinds, vec![kind; reference.prompts[0].attn_out.len()], "{file}");
        let (target, taps) = tapped(&source, folder.path());
        let (worst, place, compared) = worst(&run(&target, &reference.prompts), &reference, &taps);
        println!("{file:40} {:2} taps, {compared:4} norms, worst {worst:.1e} at {place}", taps.len());
        if worst.is_nan() || worst > TOLERANCE {
            failures.push(format!("{file}: {worst:.1e} at {place}"));
        }
    }
    assert!(failures.is_empty(), "beyond {TOLERANCE:e}:\n{}", failures.join("\n"));
}

#[test]
fn quantised_and_half_exports_run_and_stay_near_their_checkpoint() {
    // The embedding of the 4-bit export is not quantised; its blocks may be far off, and nobody says how far.
    for (tool, case, embedding, all) in [
        ("genai_fp16", "llama_gqa_heads16_f32", 1e-3, 1e-2),
        ("genai_int4", "llama_gqa_heads16_f32", 1e-6, 1.0),
        ("optimum_int8", "llama_mha_f32", 2e-2, 0.3),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let file = format!("{tool}_{case}");
        let reference = reference(case);
        let (target, taps) = tapped(&foreign(&format!("{file}.onnx")), folder.path());
        let found = run(&target, &reference.prompts);
        let (worst, place, compared) = worst(&found, &reference, &taps);
        println!("{file:40} {:2} taps, {compared:4} norms, worst {worst:.1e} at {place}", taps.len());
        assert!(worst <= all, "{file}: {worst:.1e} at {place}");
        for (outputs, prompt) in found.iter().zip(&reference.prompts) {
            for (found, expected) in norms(&outputs["blocks.0.hook_resid_pre"]).iter().zip(&prompt.resid[0]) {
                assert!((found / expected - 1.0).abs() < embedding, "{file}: {found} is not {expected}");
            }
            assert!(taps.iter().all(|tap| outputs[tap].1.iter().all(|x| x.is_finite())), "{file}");
        }
    }
}

#[test]
fn taps_agree_with_each_other_and_the_logits_stay_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    for (tool, case) in [("torch_script", "llama_mha_f32"), ("genai_int4", "llama_gqa_heads16_f32")] {
        let (file, reference) = (format!("{tool}_{case}.onnx"), reference(case));
        let (file, last) = (file.as_str(), reference.prompts[0].attn_out.len() - 1);
        let (target, _) = tapped(&foreign(file), folder.path());
        let before = run(&foreign(file), &reference.prompts);
        for (before, after) in before.iter().zip(run(&target, &reference.prompts)) {
            assert_eq!(before["logits"], after["logits"], "{file}");
            let tap = |name: &str| &after[name].1;
            let sum =
                |a: &str, b: &str| -> Vec<f32> { tap(a).iter().zip(tap(b)).map(|(a, b)| a + b).collect() };
            let mid = sum("blocks.0.hook_resid_pre", "blocks.0.hook_attn_out");
            assert_eq!(&mid, tap("blocks.0.hook_resid_mid"), "{file}");
            let post = sum(&format!("blocks.{last}.hook_resid_mid"), &format!("blocks.{last}.hook_mlp_out"));
            assert_eq!(&post, tap(&format!("blocks.{last}.hook_resid_post")), "{file}");
        }
    }
}

#[test]
fn the_tapped_file_is_the_original_with_nodes_and_outputs_at_the_end_of_its_graph() {
    let folder = tempfile::tempdir().unwrap();
    let source = foreign("torch_dynamo_llama_biases_f32.onnx");
    let (target, _) = tapped(&source, folder.path());
    let (before, after) = (fs::read(source).unwrap(), fs::read(target).unwrap());
    let added = after.len() - before.len();
    let common = |a: &[u8], b: &[u8]| a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let head = common(&before, &after);
    let reversed = |bytes: &[u8]| bytes.iter().rev().copied().collect::<Vec<u8>>();
    let tail = common(&reversed(&before), &reversed(&after));
    // Between them lies the length of the graph, which is written anew.
    let graph = &before[head..before.len() - tail];
    assert!(graph.len() < before.len() && added < 5000, "{head} {tail} {added}");
    let at = after.windows(graph.len().min(4096)).position(|w| w == &graph[graph.len() - w.len()..]);
    assert!(at.is_some(), "the graph's own bytes are kept");
}

#[test]
fn the_report_says_what_was_found_and_what_was_not() {
    let sandbox = Sandbox::new();
    let source = foreign("ort_fused_gpt_neox_full_rotary_f32.onnx");
    let source = source.to_str().unwrap();
    let found = sandbox.json(&["tap", source, "-o", "tapped.onnx", "--json"]);
    assert_eq!(found["schema"], 1);
    assert_eq!(found["blocks"], serde_json::json!(["parallel", "parallel"]));
    assert_eq!(found["operators"]["sum"]["SkipLayerNormalization"], 2);
    assert_eq!(found["operators"]["final norm"]["SkipLayerNormalization"], 1);
    assert_eq!(found["present"], serde_json::json!(["logits"]));
    let missing = found["missing"].as_array().unwrap();
    assert_eq!(missing.len(), 2);
    assert_eq!(missing[0]["tap"], "blocks.0.hook_resid_mid");
    // The last sum has no name in the file: it is added up from what the fused norm reads.
    let last =
        &found["taps"].as_array().unwrap().iter().find(|t| t["name"] == "blocks.1.hook_resid_post").unwrap();
    assert_eq!(last["from"].as_array().unwrap().len(), 2);
    let (text, _) = sandbox.expect(0, &["tap", source, "-o", "tapped.onnx"]);
    for says in ["2 blocks: parallel", "parallel block", "embed_in", "8 outputs added"] {
        assert!(text.contains(says), "{says:?} is not in\n{text}");
    }
}

#[cfg(unix)]
#[test]
fn a_socket_or_a_device_is_not_replaced_by_a_tapped_model() {
    use std::os::unix::{fs::FileTypeExt, net::UnixListener};
    let sandbox = Sandbox::new();
    let source = foreign("torch_script_llama_mha_f32.onnx");
    let _listening = UnixListener::bind(sandbox.path("socket")).unwrap();
    std::os::unix::fs::symlink("socket", sandbox.path("link.onnx")).unwrap();
    for target in ["socket", "link.onnx"] {
        let (_, error) = sandbox.expect(6, &["tap", source.to_str().unwrap(), "-o", target]);
        assert!(error.contains(target) && error.contains("a device, a pipe or a socket"), "{error}");
    }
    assert!(sandbox.path("socket").symlink_metadata().unwrap().file_type().is_socket());
    assert!(sandbox.path("link.onnx").is_symlink());
}

#[test]
fn only_the_chosen_taps_are_added() {
    let sandbox = Sandbox::new();
    let source = foreign("torch_script_llama_mha_f32.onnx");
    let source = source.to_str().unwrap();
    let options = ["--taps", "*.hook_resid_p*", "--taps", "ln_final.*"];
    let found = sandbox.json(&[&["tap", source, "-o", "tapped.onnx", "--json"][..], &options].concat());
    let names: Vec<&str> =
        found["taps"].as_array().unwrap().iter().map(|tap| tap["name"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "blocks.0.hook_resid_pre",
            "blocks.0.hook_resid_post",
            "blocks.1.hook_resid_post",
            "blocks.2.hook_resid_post",
            "ln_final.hook_normalized"
        ]
    );
    let (_, error) = sandbox.expect(2, &["tap", source, "-o", "t.onnx", "--taps", "blocks.7.*"]);
    assert!(error.contains("blocks.7.*") && error.contains("blocks.2.hook_resid_post"), "{error}");
    assert!(!sandbox.path("t.onnx").exists());
}

#[test]
fn a_file_that_cannot_be_tapped_is_refused_with_the_remedy_and_nothing_is_written() {
    let sandbox = Sandbox::new();
    let path = |name: &str| foreign(name).to_str().unwrap().to_string();
    let tap = |code: i32, model: &str, output: &str| sandbox.expect(code, &["tap", model, "-o", output]).1;

    let int4 = "genai_int4_llama_gqa_heads16_f32.onnx";
    let error = tap(6, &path(int4), "tapped.onnx");
    assert!(error.contains("model.onnx.data") && error.contains("tests/foreign"), "{error}");
    fs::copy(foreign(int4), sandbox.path("int4.onnx")).unwrap();
    let error = tap(4, "int4.onnx", "tapped.onnx");
    assert!(error.contains("model.onnx.data: expected the model's weights"), "{error}");
    fs::copy(foreign("model.onnx.data"), sandbox.path("model.onnx.data")).unwrap();
    for model in ["int4.onnx", &path(int4)] {
        assert!(tap(2, model, "./model.onnx.data").contains("weights"));
    }
    let kept = fs::read(sandbox.path("model.onnx.data")).unwrap();
    assert!(kept == fs::read(foreign("model.onnx.data")).unwrap(), "weights were overwritten");
    tap(0, &path(int4), "tapped.onnx");

    let error = tap(4, "tapped.onnx", "twice.onnx");
    assert!(error.contains("blocks.0.hook_resid_pre") && error.contains("already"), "{error}");
    fs::copy(foreign("torch_dynamo_gpt2.onnx"), sandbox.path("gpt2.onnx")).unwrap();
    assert!(tap(2, "gpt2.onnx", "./gpt2.onnx").contains("another file"));
    assert_eq!(
        fs::read(sandbox.path("gpt2.onnx")).unwrap(),
        fs::read(foreign("torch_dynamo_gpt2.onnx")).unwrap()
    );
    assert!(tap(4, "absent.onnx", "t.onnx").contains("absent.onnx"));
    assert!(tap(4, "data", "t.onnx").contains("data"));
    assert!(
        tap(6, &path("torch_dynamo_gpt2.onnx"), "no/such/folder/t.onnx").contains("a folder that is there")
    );
    sandbox.write("text.onnx", "not a model");
    assert!(tap(4, "text.onnx", "t.onnx").contains("not those of a protobuf message"));
    sandbox.write("empty.onnx", "");
    assert!(tap(4, "empty.onnx", "t.onnx").contains("no graph"));
    let whole = fs::read(foreign("torch_dynamo_gpt2.onnx")).unwrap();
    fs::write(sandbox.path("half.onnx"), &whole[..whole.len() / 2]).unwrap();
    assert!(tap(4, "half.onnx", "t.onnx").contains("not those of a protobuf message"));
    for name in ["t.onnx", "twice.onnx"] {
        assert!(!sandbox.path(name).exists(), "{name}");
    }
}

#[test]
fn a_search_that_ends_early_says_what_it_sought_and_where_it_stopped() {
    let attention = |x: &str, out: &str| {
        format!(
            "n{out} = LayerNormalization({x}, W)\nq{out} = MatMul(n{out}, W)\nk{out} = MatMul(n{out}, W)\n\
             s{out} = MatMul(q{out}, k{out})\np{out} = Softmax(s{out})\n{out} = MatMul(p{out}, q{out})\n"
        )
    };
    let mlp = |x: &str, out: &str| {
        format!("n{out} = LayerNormalization({x}, W)\nu{out} = MatMul(n{out}, W)\n{out} = Gelu(u{out})\n")
    };
    let embed = "x = Gather(E, ids)\n";
    let head = |x: &str| format!("f = LayerNormalization({x}, W)\nlogits = MatMul(f, W)");
    let (a, m) = (attention("x", "a"), mlp("x", "m"));
    let whole = format!("{embed}{a}y = Add(x, a)\n{}z = Add(y, m)\n{}", mlp("y", "m"), head("z"));
    for (graph, output, says) in [
        ("logits = Identity(ids)".to_string(), "", vec!["no outputs"]),
        (format!("{embed}logits = MatMul(x, W)"), "logits", vec!["found none", "node_x", "Gather"]),
        (
            format!("{embed}{m}y = Add(x, m)\n{}", head("y")),
            "logits",
            vec!["1 residual additions", "no branch"],
        ),
        (format!("{embed}logits = If(x)"), "logits", vec!["node_logits", "If", "subgraphs are not searched"]),
        (format!("{embed}logits = Softplus(x)"), "logits", vec!["unembedding", "Softplus", "node_logits"]),
        (
            whole.replace("z = Add(y, m)", "z = Mystery(y, m)"),
            "logits",
            vec!["found none", "Mystery", "node_z"],
        ),
        (
            whole.replace("y = Add(x, a)", "y = Mystery(x, a)"),
            "logits",
            vec!["found 1 of them", "Mystery", "node_y"],
        ),
        (
            whole.replace("y = Add(x, a)", "w = Add(x, a)\ny = LayerNormalization(w, W)"),
            "logits",
            vec!["found 1 of them", "node_y", "post-norm"],
        ),
        (
            format!(
                "{embed}{a}y = Add(x, a)\n{}z = Add(y, b)\n{}t = Add(z, m)\n{}",
                attention("y", "b"),
                mlp("z", "m"),
                head("t")
            ),
            "logits",
            vec!["two attention branches", "node_y", "encoder-decoder"],
        ),
        (whole.replace("ids)", "absent)"), "logits", vec!["absent", "order of the flow"]),
        (format!("{embed}x = Gather(E, ids)"), "x", vec!["two nodes write \"x\""]),
    ] {
        let bytes = toy::graph(&graph, output);
        let Err(error) = tap::find(&bytes, Path::new("toy.onnx")) else { panic!("found:\n{graph}") };
        let message = error.to_string();
        assert!(message.starts_with("toy.onnx: "), "{message}");
        for word in says {
            assert!(message.contains(word), "{word:?} is not in\n{message}\nof\n{graph}");
        }
    }
    let bytes = toy::graph(&whole, "logits");
    let found = tap::find(&bytes, Path::new("toy.onnx")).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(found.blocks, [tap::Kind::Sequential]);
}

#[test]
fn branches_side_by_side_are_told_apart_in_every_order_of_their_sum() {
    let branches = "n = LayerNormalization(x, W)\nq = MatMul(n, W)\nk = MatMul(n, W)\ns = MatMul(q, k)\n\
        p = Softmax(s)\na = MatMul(p, q)\nu = MatMul(n, W)\nm = Gelu(u)\n";
    let head = "f = LayerNormalization(z, W)\nlogits = MatMul(f, W)";
    for sum in [
        "y = Add(x, a)\nz = Add(y, m)",
        "y = Add(m, x)\nz = Add(a, y)",
        "y = Add(m, a)\nz = Add(y, x)",
        "y = Add(a, m)\nz = Add(x, y)",
        "z = Sum(a, x, m)",
    ] {
        let bytes = toy::graph(&format!("x = Gather(E, ids)\n{branches}{sum}\n{head}"), "logits");
        let found = tap::find(&bytes, Path::new("toy.onnx")).unwrap_or_else(|e| panic!("{sum}: {e}"));
        assert_eq!(found.blocks, [tap::Kind::Parallel], "{sum}");
        let from: BTreeMap<&str, &str> =
            found.taps.iter().map(|tap| (tap.name.as_str(), tap.from[0].node.as_str())).collect();
        assert_eq!(from["blocks.0.hook_attn_out"], "node_a", "{sum}");
        assert_eq!(from["blocks.0.hook_mlp_out"], "node_m", "{sum}");
        assert_eq!(from["blocks.0.hook_resid_post"], "node_z", "{sum}");
    }
    // A bias of the sum hides what each branch adds.
    let biased = "y = Add(a, m)\nb = Add(y, W)\nz = Add(x, b)";
    let bytes = toy::graph(&format!("x = Gather(E, ids)\n{branches}{biased}\n{head}"), "logits");
    let found = tap::find(&bytes, Path::new("toy.onnx")).unwrap_or_else(|e| panic!("{e}"));
    let missing: Vec<&str> = found.missing.iter().map(|missing| missing.tap.as_str()).collect();
    assert_eq!(missing, ["blocks.0.hook_attn_out", "blocks.0.hook_resid_mid", "blocks.0.hook_mlp_out"]);
    assert!(found.missing[0].reason.contains("\"W\""), "{}", found.missing[0].reason);
}

#[test]
fn damaged_bytes_are_refused_or_read_as_they_are_and_end_nothing() {
    let whole = fs::read(foreign("genai_int4_llama_gqa_heads16_f32.onnx")).unwrap();
    let mut refused = 0;
    for at in (0..whole.len()).step_by(7) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x15;
        refused += usize::from(tap::find(&bytes, Path::new("damaged.onnx")).is_err());
        refused += usize::from(tap::find(&whole[..at], Path::new("short.onnx")).is_err());
    }
    assert!(refused > whole.len() / 7, "{refused} of {}", 2 * whole.len() / 7);
}

#[test]
fn a_tapped_decoder_is_measured_as_its_checkpoint_is() {
    let sandbox = Sandbox::new();
    let measure = |model: &Path, more: &[&str]| {
        let model = model.to_str().unwrap();
        sandbox.json(&[&["measure", model, "--tokens", "5,6,7,8,9", "--json", "--quiet"], more].concat())
    };
    let close = |found: &Value, expected: &Value, tap: &str| {
        let rows = |value: &Value| value["observations"][0][tap].as_array().unwrap().clone();
        let (found, expected) = (rows(found), rows(expected));
        assert_eq!(found.len(), expected.len(), "{tap}");
        for (found, expected) in found.iter().zip(&expected) {
            for (found, expected) in found.as_array().unwrap().iter().zip(expected.as_array().unwrap()) {
                let (found, expected) = (found.as_f64().unwrap(), expected.as_f64().unwrap());
                assert!((found / expected - 1.0).abs() < TOLERANCE, "{tap}: {found} is not {expected}");
            }
        }
    };
    let (target, _) = tapped(&foreign("torch_script_llama_mha_f32.onnx"), &sandbox.path("."));
    let found = measure(&target, &[]);
    let expected = measure(&project().join("tests/goldens/llama_mha_f32"), &[]);
    for tap in ["resid", "attn_out", "mlp_out", "max_abs"] {
        close(&found, &expected, tap);
    }
    let seen = |value: &Value| {
        let top = value["observations"][0]["top"].as_array().unwrap().iter();
        (
            top.map(|t| t["id"].clone()).collect::<Vec<_>>(),
            value["observations"][0]["gains"]["mean/last-block"].clone(),
        )
    };
    assert_eq!(seen(&found).0, seen(&expected).0);
    let gain = |value: &Value| seen(value).1["last"].as_f64().unwrap();
    assert!((gain(&found) / gain(&expected) - 1.0).abs() < TOLERANCE);

    // A size that the file leaves open is asked for by name, and given.
    let (target, _) = tapped(&foreign("genai_int4_llama_gqa_heads16_f32.onnx"), &sandbox.path("."));
    let target = target.to_str().unwrap();
    let (_, said) = sandbox.expect(5, &["measure", target, "--tokens", "5,6"]);
    assert!(said.contains("\"kv_cache_dim\" has no size; give one with --axis kv_cache_dim=SIZE"), "{said}");
    let found =
        sandbox.json(&["measure", target, "--tokens", "5,6", "--axis", "kv_cache_dim=16", "--json", "-q"]);
    assert!(found["observations"][0]["resid"][2][1].as_f64().unwrap() > 0.0);

    // An export without taps says how to get them.
    let plain = foreign("torch_script_llama_mha_f32.onnx");
    let (_, said) = sandbox.expect(4, &["measure", plain.to_str().unwrap(), "--tokens", "5,6"]);
    assert!(said.contains("blocks.0.hook_resid_pre") && said.contains("streamgauge tap"), "{said}");
}
