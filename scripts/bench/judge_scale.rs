//! How long the full multiverse of eighteen hypotheses takes on a million rows, and how much memory.
//!
//! `cargo run --release --example judge_scale [results/bench/judge.md]` makes a table up (40 models, 400 prompts), judges the
//! shipped hypotheses on it and on the published tables, and writes the times. Where fewer than eighteen ship, they are
//! judged again until there are, each time with nothing remembered.

#![allow(clippy::unwrap_used, reason = "an example that cannot go on ends")]

mod scale;

use std::path::Path;
use std::time::Instant;

use number::{
    evidence::{Evidence, EvidenceTable, Measurement, ModelInfo, PromptInfo, Tables},
    facts::ModelFacts,
    metric::Metric,
    protocol::{Bos, Endpoint, Protocol, Reduction},
};
use rand::{RngExt, SeedableRng, rngs::ChaCha12Rng};
use study::{
    config,
    judge::{StatisticsCache, family, judge_with},
    published,
};

const HYPOTHESES: usize = 18;
const MODELS: usize = 40;
const PROMPTS: usize = 400;
const BLOCKS: u32 = 24;
const FAMILIES: [&str; 8] = ["llama", "gpt_neox", "gemma", "qwen2", "opt", "bloom", "falcon", "phi"];
const CATEGORIES: [&str; 5] = ["Factual", "Syntactic", "Cliche", "Novel", "Nonsense"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let out = std::env::args().nth(1).unwrap_or_else(|| "results/bench/judge.md".into());
    let loaded =
        config::load(Path::new("experiments/reproduce.toml")).map_err(|report| report.render(false))?;
    let mut phases = Phases::default();
    let table = phases.time("make the table up", table);
    let published =
        phases.time("read the published tables", || published::import(Path::new("data/published")))?;
    let hypotheses: Vec<_> =
        loaded.hypotheses.iter().cycle().take(HYPOTHESES.max(loaded.hypotheses.len())).collect();
    let none = EvidenceTable::default();
    let tables = Tables { published: &published, measured: &table, rehearsal: &none };
    let mut cache = StatisticsCache::new(loaded.experiment.seed);
    let (mut outcomes, mut alphas) = (Vec::new(), Vec::new());
    for (i, (_, hypothesis, hash)) in hypotheses.iter().enumerate() {
        if i > 0 && i % loaded.hypotheses.len() == 0 {
            cache = StatisticsCache::new(loaded.experiment.seed);
        }
        let again = if i < loaded.hypotheses.len() { "" } else { ", again" };
        outcomes.push(phases.time(&format!("judge {}{again}", hypothesis.id), || {
            judge_with(hypothesis, *hash, tables, &cache)
        }));
        alphas.push(hypothesis.alpha);
    }
    phases.time("correct the family", || family(&outcomes, &alphas, None));
    let curves: usize = outcomes.iter().map(|o| o.curves.len()).sum();
    let ways: usize = outcomes.iter().flat_map(|o| &o.curves).map(|c| c.specifications.len()).sum();
    let text = format!(
        "# Judging at scale\n\n{} rows ({MODELS} models, {PROMPTS} prompts) and {} published ones; {} hypotheses, {curves} \
         specification curves, {ways} specifications; {} threads of {}. Written by `scripts/bench/judge_scale.rs`.\n\n\
         | phase | seconds | peak GiB |\n|---|---|---|\n{}",
        table.rows.len(),
        published.rows.len(),
        hypotheses.len(),
        rayon::current_num_threads(),
        scale::cpu(),
        phases.table(),
    );
    scale::page(Path::new(&out), &text)
}

/// Name, seconds and peak resident bytes of each phase.
#[derive(Default)]
struct Phases(Vec<(String, f64, f64)>);

impl Phases {
    fn time<T>(&mut self, name: &str, work: impl FnOnce() -> T) -> T {
        // 5 sets the peak back to what is resident now (proc(5)); where it cannot, the peak is that of the whole run.
        let _ = std::fs::write("/proc/self/clear_refs", "5");
        let start = Instant::now();
        let done = work();
        let seconds = start.elapsed().as_secs_f64();
        eprintln!("{seconds:8.2} s  {name}");
        self.0.push((name.to_string(), seconds, scale::peak_bytes() / f64::from(1 << 30)));
        done
    }

    fn table(&self) -> String {
        let line = |name: &str, seconds: f64, gib: f64| format!("| {name} | {seconds:.2} | {gib:.2} |\n");
        let judged = || self.0.iter().filter(|(name, ..)| name.starts_with("judge"));
        let total: f64 = judged().map(|(_, seconds, _)| seconds).sum();
        let most = judged().map(|(.., gib)| *gib).fold(0.0, f64::max);
        let lines: String = self.0.iter().map(|(name, seconds, gib)| line(name, *seconds, *gib)).collect();
        lines + &line("**judging in all**", total, most)
    }
}

/// Models lie apart by family, prompts by category; the ways of measuring agree but for noise and a shift.
fn table() -> EvidenceTable {
    let mut rng = ChaCha12Rng::seed_from_u64(1);
    let mut noise = move |size: f64| size * (0..6).map(|_| rng.random::<f64>() - 0.5).sum::<f64>();
    let mut table = EvidenceTable::default();
    for prompt in 0..PROMPTS {
        table.prompts.push(PromptInfo {
            id: format!("prompt-{prompt:03}"),
            category: CATEGORIES[prompt % CATEGORIES.len()].into(),
            text: format!("Text number {prompt}"),
            sets: Vec::new(),
        });
    }
    for model in 0..MODELS {
        let family = FAMILIES[model % FAMILIES.len()];
        let id = format!("{family}-{model:02}");
        table.models.push(ModelInfo {
            id: id.clone(),
            evidence: Evidence::Measured,
            facts: ModelFacts {
                family: Some(family.into()),
                norm: Some(if model % 3 == 0 { "layernorm" } else { "rmsnorm" }.into()),
                blocks: Some(BLOCKS),
                width: Some(1024),
                parameters: Some(10_u64.pow(8) * (1 + model as u64)),
                ..ModelFacts::default()
            },
        });
        let level = noise(0.5);
        for prompt in 0..PROMPTS {
            let entropy = 3.0 + noise(1.0) + (prompt % CATEGORIES.len()) as f64 * 0.2;
            let own = level + 0.05 * entropy + noise(0.2);
            let info = &table.prompts[prompt];
            let mut rows = Vec::new();
            let mut put = |metric: Metric, layer: Option<u32>, protocol: Protocol, value: f64| {
                rows.push(Measurement {
                    evidence: Evidence::Measured,
                    source: "streamgauge".into(),
                    model: id.as_str().into(),
                    prompt: Some(info.id.as_str().into()),
                    category: Some(info.category.as_str().into()),
                    metric,
                    branch: None,
                    layer,
                    protocol: Some(protocol),
                    dtype: "float32".into(),
                    value,
                    definition: "".into(),
                });
            };
            for (r, &reduction) in Reduction::ALL.iter().enumerate() {
                for (e, &endpoint) in Endpoint::ALL.iter().enumerate() {
                    let protocol = Protocol::new(reduction, endpoint, Bos::Auto);
                    let gain = own + 0.1 * e as f64 - 0.05 * r as f64 + noise(0.05);
                    put(Metric::LastGain, None, protocol, gain.exp());
                    put(Metric::CumulativeGain, None, protocol, (gain + 3.0 + noise(0.3)).exp());
                    put(Metric::GainAfterFirstBlock, None, protocol, (gain + 2.0 + noise(0.3)).exp());
                }
                let protocol = Protocol::new(reduction, Endpoint::LastBlock, Bos::Auto);
                put(Metric::EmbeddingNorm, None, protocol, (1.0 + level + noise(0.1)).exp());
                for layer in [BLOCKS - 1, BLOCKS] {
                    put(Metric::ResidualNorm, Some(layer), protocol, (4.0 + own + noise(0.1)).exp());
                }
            }
            let any = Protocol::new(Reduction::Last, Endpoint::HfLast, Bos::Auto);
            put(Metric::OutputEntropy, None, any, entropy);
            put(Metric::TopProbability, None, any, (-entropy).exp());
            put(Metric::TokenCount, None, any, 5.0 + (prompt % 30) as f64);
            table.rows.extend(rows);
        }
    }
    table
}
