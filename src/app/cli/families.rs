//! `streamgauge families`: the model families that open.

use clap::Args;
use serde::Serialize;

use super::exit::{Exit, Failure};
use super::options::CommonOptions;
use super::{output, table};
use model::arch::{KnownFamily, known_families};

/// Options of `families`.
#[derive(Args)]
#[command(after_help = "Examples:\n  streamgauge families\n  streamgauge families --json\n\n\
A family is the `model_type` of a config.json. What is listed are the choices of the random\n\
checkpoints on which its numbers are held against the reference in float64, of every config and\n\
format, and the worst error of any observation there (results/parity.md has each). Other families\n\
are refused by name.")]
pub(super) struct Arguments {
    #[command(flatten)]
    common: CommonOptions,
}

/// What `families --json` prints.
#[derive(Serialize)]
struct Families {
    schema: u32,
    families: Vec<KnownFamily>,
}

impl Arguments {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        let families = known_families()
            .map_err(|error| Failure::new(Exit::Store, format!("the built-in table of families: {error}")))?;
        if self.common.json {
            output::print_json(&Families { schema: 1, families })
        } else {
            output::print(&table::families(&families))
        }
    }
}
