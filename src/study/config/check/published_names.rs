//! The names that published tables use: what references may also point to.

use std::path::Path;

use base::foreign::{self, Kind};

/// Names that occur in published tables.
#[derive(Debug, Default)]
pub(in crate::config) struct PublishedNames {
    pub models: Vec<String>,
    pub sources: Vec<String>,
    pub prompts: Vec<String>,
    pub categories: Vec<String>,
}

impl PublishedNames {
    /// Reads the names from `measurements.csv`, `models.csv` and `prompts.csv`. The error says what is wrong.
    pub(in crate::config) fn read(folder: &Path) -> Result<PublishedNames, String> {
        let column = |file: &str, column: &str| -> Result<Vec<String>, String> {
            let path = folder.join(file);
            let fail = |error: csv::Error| format!("cannot read {}: {error}", path.display());
            let bytes = foreign::read(&path, Kind::Table).map_err(|error| fail(error.into()))?;
            let mut reader = csv::Reader::from_reader(&bytes[..]);
            let index = reader.headers().map_err(fail)?.iter().position(|name| name == column);
            let index = index.ok_or_else(|| format!("{} has no column `{column}`", path.display()))?;
            let mut values = Vec::new();
            for record in reader.records() {
                values.extend(
                    record.map_err(fail)?.get(index).filter(|text| !text.is_empty()).map(String::from),
                );
            }
            values.sort();
            values.dedup();
            Ok(values)
        };
        let mut models = column("models.csv", "model")?;
        models.extend(column("measurements.csv", "model")?);
        let mut prompts = column("prompts.csv", "prompt_id")?;
        prompts.extend(column("measurements.csv", "prompt_id")?);
        let mut categories = column("prompts.csv", "category")?;
        categories.extend(column("measurements.csv", "prompt_category")?);
        for list in [&mut models, &mut prompts, &mut categories] {
            list.sort();
            list.dedup();
        }
        Ok(PublishedNames { models, sources: column("measurements.csv", "source")?, prompts, categories })
    }
}
