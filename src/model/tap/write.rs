//! The tapped file: the bytes of the original with nodes and outputs put into its graph. Nothing is rewritten, so no
//! field is lost, known here or not, and a large file is copied once, from the mapped original to the disk.

use std::path::{Path, PathBuf};

use prost::Message;

use super::error::TapError;
use super::model::Model;
use super::output::Tap;
use super::wire::varint;
use crate::onnx::proto::{
    AttributeProto, GraphProto, NodeProto, TensorShapeProto, TensorTypeProto, TypeProto, ValueInfoProto,
};
use base::publish;

/// Value with the axes of the stream, where taps are laid out like it.
const SHAPE: &str = "blocks.0.hook_resid_pre.shape";
const FLOAT: i32 = 1;
const INT: i32 = 2;
const ROOM: &str = "give a file in a folder that is there, can be written, and has room";
/// No protobuf reader takes more.
const LARGEST: usize = i32::MAX as usize;

/// Writes the model with these taps as outputs: float32, whatever the type inside.
///
/// # Errors
/// The target is the model itself or holds its weights, lies where its external data cannot be found, or cannot be written.
pub(super) fn write(
    bytes: &[u8],
    model: &Model<'_>,
    taps: &[&Tap],
    source: &Path,
    target: &Path,
) -> Result<(), TapError> {
    let folder = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let failed = |reason: String| TapError::Write { target: target.to_path_buf(), reason };
    if is_same(source, target) {
        return Err(TapError::Itself { file: source.to_path_buf(), what: "the model itself" });
    }
    let beside = source.parent().unwrap_or(Path::new("."));
    if model
        .external
        .iter()
        .any(|data| is_same(&beside.join(data), target) || is_same(&folder.join(data), target))
    {
        return Err(TapError::Itself { file: target.to_path_buf(), what: "a file of the model's weights" });
    }
    external_data(model, beside, folder, target)?;
    let fragment = fragment(model, taps);
    let (tag, start, end) = model.span;
    let length = end - start + fragment.len();
    let head: &[&[u8]] =
        &[&bytes[..tag], b"\x3a", &varint(length as u64), &bytes[start..end], &fragment, &bytes[end..]];
    let total: usize = head.iter().map(|part| part.len()).sum();
    if total > LARGEST {
        return Err(failed(format!(
            "it would have {total} bytes, but a protobuf file ends at 2 GiB; choose fewer with --taps, or store the \
             model's weights as external data first"
        )));
    }
    let unwritten = |e: std::io::Error| match e.get_ref() {
        Some(what) => failed(format!("{what}; {ROOM}")), // not the system's but publish's own words
        None => failed(format!("{}; {ROOM}", e.kind())),
    };
    publish::write(target, head).map_err(unwritten)
}

/// Nodes and outputs as fields of a graph message, to stand after the graph's own.
fn fragment(model: &Model<'_>, taps: &[&Tap]) -> Vec<u8> {
    let mut graph = GraphProto::default();
    if let Some(like) = taps.iter().find_map(|tap| tap.like) {
        graph.node.push(node("Shape", SHAPE, vec![model.values[like].name.to_string()]));
    }
    for tap in taps {
        let name = |value: usize| model.values[value].name.to_string();
        let mut sum = name(tap.values[0]);
        for (at, value) in tap.values.iter().enumerate().skip(1) {
            let next = format!("{}.sum_{at}", tap.name);
            graph.node.push(node("Add", &next, vec![sum, name(*value)]));
            sum = next;
        }
        if tap.like.is_some() {
            let laid = format!("{}.laid", tap.name);
            graph.node.push(node("Reshape", &laid, vec![sum, SHAPE.to_string()]));
            sum = laid;
        }
        let mut cast = node("Cast", &tap.name, vec![sum]);
        cast.attribute.push(AttributeProto {
            name: Some("to".to_string()),
            i: Some(FLOAT.into()),
            r#type: Some(INT),
            ..Default::default()
        });
        graph.node.push(cast);
        graph.output.push(value_info(&tap.name, &tap.shape));
    }
    graph.encode_to_vec()
}

fn node(op: &str, output: &str, input: Vec<String>) -> NodeProto {
    NodeProto {
        input,
        output: vec![output.to_string()],
        name: Some(output.to_string()),
        op_type: Some(op.to_string()),
        attribute: Vec::new(),
        domain: None,
    }
}

fn value_info(name: &str, shape: &TensorShapeProto) -> ValueInfoProto {
    let tensor_type = TensorTypeProto { elem_type: Some(FLOAT), shape: Some(shape.clone()) };
    ValueInfoProto {
        name: Some(name.to_string()),
        r#type: Some(TypeProto { tensor_type: Some(tensor_type) }),
    }
}

fn is_same(source: &Path, target: &Path) -> bool {
    match (source.canonicalize(), target.canonicalize()) {
        (Ok(source), Ok(target)) => source == target,
        _ => false, // a target that is not there yet
    }
}

/// External data is named relative to the model file, so it must lie beside the tapped one as well.
fn external_data(model: &Model<'_>, beside: &Path, folder: &Path, target: &Path) -> Result<(), TapError> {
    let size = |path: PathBuf| path.metadata().map(|data| data.len()).ok();
    if let Some(lost) = model.external.iter().find(|name| size(beside.join(name)).is_none()) {
        return Err(TapError::Lost { file: beside.join(lost) });
    }
    let absent: Vec<&str> = model
        .external
        .iter()
        .filter(|name| size(folder.join(name)) != size(beside.join(name)))
        .copied()
        .collect();
    match absent.first() {
        None => Ok(()),
        Some(first) => Err(TapError::External {
            target: target.to_path_buf(),
            file: (*first).to_string(),
            more: absent.len() - 1,
            beside: if beside.as_os_str().is_empty() { PathBuf::from(".") } else { beside.to_path_buf() },
        }),
    }
}
