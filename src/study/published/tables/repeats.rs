//! One forward pass published by two sources: the later rows stay and say so, lest they count twice.

use std::collections::BTreeMap;

use number::evidence::Measurement;

/// Adds to the definition of every row that repeats, to the last bit, the number another source gives for the same
/// model, prompt, metric, layer, protocol and dtype. The first source in the order of `rows` keeps its definition.
pub(super) fn flag(rows: &mut [Measurement]) {
    let mut first = BTreeMap::new();
    for row in rows {
        // Means and properties of the weights agree without being one run.
        let Some(prompt) = row.prompt.clone() else { continue };
        let run = (row.model.clone(), prompt, row.metric, row.layer, row.protocol, row.dtype.clone());
        let source = first.entry((run, row.value.to_bits())).or_insert_with(|| row.source.clone());
        if *source != row.source {
            let said = format!("the forward pass of {source} published again: count it once");
            let all = if row.definition.is_empty() { said } else { format!("{said}; {}", row.definition) };
            row.definition = all.into();
        }
    }
}
