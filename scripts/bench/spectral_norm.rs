//! The spectral norm of one matrix of a checkpoint alone, and the seconds that it took.
//!
//! `cargo run --release --example spectral_norm data/zoo/llama3-tiny model.embed_tokens.weight`

#![allow(clippy::unwrap_used, reason = "an example that cannot go on ends")]

use std::{error::Error, path::Path, time::Instant};

use engine::spectral::spectra;
use model::checkpoint::Checkpoint;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, tensor] = &arguments[..] else {
        return Err("usage: spectral_norm CHECKPOINT TENSOR".into());
    };
    let checkpoint = Checkpoint::open(Path::new(folder))?;
    let matrix = checkpoint.tensor(tensor)?;
    let start = Instant::now();
    let (found, _) = spectra(&matrix, &[])?;
    let seconds = start.elapsed().as_secs_f64();
    let passes = found.iterations + 1; // and one for the norms of the rows
    println!("{}", serde_json::json!({ "sigma_max": found.sigma_max, "seconds": seconds, "passes": passes }));
    Ok(())
}
