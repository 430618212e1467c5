//! `ro-crate-metadata.json`: the results folder as a research object (RO-Crate 1.1, w3id.org/ro/crate/1.1, with the
//! "provenance of entities" pattern): which program, on which models, prompts and claims, made which files.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use base::hash::Key;

/// Name of the file in the results folder.
pub const RESEARCH_OBJECT: &str = "ro-crate-metadata.json";

/// How the hash of a file is written.
const HASH: &str = "blake3:";

/// A thing that entered: a model, a prompt set, a hypothesis, the published tables.
#[derive(Clone, Debug)]
pub struct Entity {
    /// Unique within the run, e.g. `model/llama3-tiny`.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// schema.org type.
    pub kind: &'static str,
    /// What tells its content from any other's.
    pub hash: String,
    /// SPDX id or address, where it is known.
    pub licence: Option<String>,
}

/// What made the files.
#[derive(Clone, Debug)]
pub struct Made<'a> {
    /// Id of the experiment.
    pub experiment: &'a str,
    /// Title of the experiment.
    pub title: &'a str,
    /// ISO 8601 day from the experiment file: no clock enters results.
    pub date: Option<&'a str>,
    /// SPDX id or address, from the experiment file.
    pub licence: Option<&'a str>,
    /// Version of this program.
    pub program: &'a str,
    /// Version of ONNX Runtime.
    pub runtime: &'a str,
    /// All that entered.
    pub inputs: &'a [Entity],
}

/// The descriptor of the files in `manifest` (paths relative to the results folder, with their content hashes),
/// indented, with a final newline. RO-Crate asks for a date and a licence: without them in the experiment file the crate
/// lacks them.
pub fn research_object(made: &Made<'_>, manifest: &BTreeMap<String, Key>) -> String {
    let reference = |id: &str| json!({ "@id": id });
    let files: Vec<Value> = manifest.keys().map(|name| reference(name)).collect();
    let inputs: Vec<Value> = made.inputs.iter().map(|input| reference(&format!("#{}", input.id))).collect();
    let mut root = json!({
        "@id": "./",
        "@type": "Dataset",
        "name": made.title,
        "description": format!("Results of the streamgauge experiment {}: observations, numbers with their protocols, \
             verdicts and report.", made.experiment),
        "hasPart": files,
        "mentions": reference("#run"),
    });
    if let Some(date) = made.date {
        root["datePublished"] = date.into();
    }
    if let Some(licence) = made.licence {
        root["license"] = match licence.contains("://") {
            true => reference(licence),
            false => reference(&format!("https://spdx.org/licenses/{licence}")),
        };
    }
    let mut graph = vec![
        json!({
            "@id": RESEARCH_OBJECT,
            "@type": "CreativeWork",
            "conformsTo": reference("https://w3id.org/ro/crate/1.1"),
            "about": reference("./"),
        }),
        root,
        json!({
            "@id": "#run",
            "@type": "CreateAction",
            "name": format!("streamgauge run of {}", made.experiment),
            "instrument": [reference("#streamgauge"), reference("#onnxruntime")],
            "object": inputs,
            "result": files,
        }),
        software("#streamgauge", "streamgauge", made.program),
        software("#onnxruntime", "ONNX Runtime", made.runtime),
    ];
    for input in made.inputs {
        let mut entity = json!({
            "@id": format!("#{}", input.id),
            "@type": input.kind,
            "name": input.name,
            "identifier": input.hash,
        });
        if let Some(licence) = &input.licence {
            entity["license"] = licence.as_str().into();
        }
        graph.push(entity);
    }
    graph.extend(manifest.iter().map(|(name, key)| {
        json!({
            "@id": name,
            "@type": "File",
            "name": name,
            "encodingFormat": media(name),
            "identifier": format!("{HASH}{key}"),
        })
    }));
    let whole = json!({ "@context": "https://w3id.org/ro/crate/1.1/context", "@graph": graph });
    let mut text = serde_json::to_string_pretty(&whole).unwrap_or_default(); // a JSON value always serialises
    text.push('\n');
    text
}

/// The files that such a descriptor lists, with their content hashes; none where it is no descriptor.
pub fn files_of(descriptor: &str) -> BTreeMap<String, Key> {
    let whole: Value = serde_json::from_str(descriptor).unwrap_or_default();
    let graph = whole["@graph"].as_array().map_or(&[][..], Vec::as_slice);
    let files = graph.iter().filter(|entity| entity["@type"] == "File").filter_map(|file| {
        let key = file["identifier"].as_str()?.strip_prefix(HASH)?.parse().ok()?;
        Some((file["@id"].as_str()?.to_string(), key))
    });
    files.collect()
}

fn software(id: &str, name: &str, version: &str) -> Value {
    json!({ "@id": id, "@type": "SoftwareApplication", "name": name, "softwareVersion": version })
}

fn media(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("json") => "application/json",
        Some("csv") => "text/csv",
        Some("parquet") => "application/vnd.apache.parquet",
        Some("md") => "text/markdown",
        Some("html") => "text/html",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_a_descriptor_are_those_it_was_made_from() {
        let made = Made {
            experiment: "e",
            title: "E",
            date: None,
            licence: None,
            program: "0",
            runtime: "0",
            inputs: &[],
        };
        let manifest = BTreeMap::from([("report/a.svg".to_string(), Key::of_bytes(b"a"))]);
        assert_eq!(files_of(&research_object(&made, &manifest)), manifest);
        assert_eq!([files_of("{"), files_of("[]")], [BTreeMap::new(), BTreeMap::new()]);
    }
}
