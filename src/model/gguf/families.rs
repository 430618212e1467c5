//! The family of a file.

use super::{
    error::{GgufError, OTHER},
    family::Family,
    metadata::Metadata,
    table::FAMILIES,
};

/// The name in a file of a weight of a checkpoint of this `model_type`, where the file keeps it as a tensor of its own.
pub fn name_in_file(model_type: &str, tensor: &str) -> Option<String> {
    let mut families = FAMILIES.iter().filter(|family| family.model_type == model_type);
    families.find_map(|family| family.name_in_file(tensor))
}

/// The family of a file that has these tensors.
pub(super) fn of(metadata: &Metadata<'_>, has: impl Fn(&str) -> bool) -> Result<&'static Family, GgufError> {
    const KIND: &str = "general.type";
    const NAME: &str = "general.architecture";
    if let Some(kind) = metadata.text(KIND)?.filter(|kind| *kind != "model") {
        return Err(metadata.refuse(
            KIND,
            "a model",
            format!("{kind:?}"),
            "give the file of the model itself",
        ));
    }
    let found = metadata.need(NAME, "the name of a family", metadata.text(NAME)?)?;
    let fits = |family: &&Family| family.architecture == found && family.marked_by.is_none_or(&has);
    FAMILIES.iter().find(fits).ok_or_else(|| {
        let mut known: Vec<&str> = FAMILIES.iter().map(|family| family.architecture).collect();
        known.dedup();
        let expected = format!("a family that is read from GGUF ({})", known.join(", "));
        metadata.refuse(NAME, &expected, format!("{found:?}"), OTHER)
    })
}
