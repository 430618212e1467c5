//! `export`: what was written, for people.

use model::{export::Exported, export::folded};

/// The terminal form of an export.
pub(crate) fn exported(found: &Exported) -> String {
    let mut text =
        format!("{} ({} bytes), opset {}\n", found.file.display(), found.bytes, model::onnx::OPSET);
    for weights in &found.weights {
        text.push_str(&format!(
            "  weights {}: {} ({} bytes)\n",
            weights.how,
            weights.file.display(),
            weights.bytes
        ));
    }
    if found.weights.iter().any(|weights| weights.how == "linked") {
        text.push_str("  (onnx.load and onnx.checker refuse links; for them use the checkpoint's folder or --self-contained)\n");
    }
    text.push_str(&format!("outputs:\n{}\n", folded(&found.outputs)));
    text
}
