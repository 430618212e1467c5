//! Rotary parameters that differ between blocks that see all and blocks that see a window.

use serde_json::{Map, Value as Json};

use super::{ArchError, rope::RopeKeys};

impl RopeKeys {
    /// The keys of the blocks that see all and of those that see a window: `rope_parameters` nests them by type of layer;
    /// older configs have a base for each, that of the latter `local_theta`, and scale the first.
    pub(super) fn by_layer_type(
        &self,
        family: &'static str,
        local_theta: Option<f64>,
    ) -> Result<[RopeKeys; 2], ArchError> {
        let mut nested = self.rope_parameters.clone().unwrap_or_default();
        let mut of_type = |layer_type| match nested.remove(layer_type) {
            None | Some(Json::Null) => Ok(Map::new()),
            Some(Json::Object(keys)) => Ok(keys),
            Some(found) => {
                let reason = format!("`rope_parameters` has {found} for {layer_type}; expected an object");
                Err(ArchError::Config { family, reason })
            }
        };
        let (mut global, local) = (of_type("full_attention")?, of_type("sliding_attention")?);
        if let Some(key) = nested.keys().next() {
            let reason =
                format!("`rope_parameters` has {key:?}; expected only full_attention and sliding_attention");
            return Err(ArchError::Config { family, reason });
        }
        let scaling = self.rope_scaling.clone().unwrap_or_default();
        if scaling.contains_key("type") && !scaling.contains_key("rope_type") {
            // The first releases of the reference read it as the type of the scaling, later ones do not.
            let reason = "`rope_scaling` has `type`; expected its later name, `rope_type`".to_string();
            return Err(ArchError::Config { family, reason });
        }
        global.extend(scaling);
        let rope = |theta, keys| RopeKeys {
            rope_theta: theta,
            rope_scaling: None,
            rope_parameters: Some(keys),
            original_max_position_embeddings: None, // the reference reads it beside a flat table only
            ..self.clone()
        };
        Ok([rope(self.rope_theta, global), rope(local_theta, local)])
    }
}
