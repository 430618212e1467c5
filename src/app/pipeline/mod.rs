//! The only place where stages are chained: plan, measure, judge, report.
//!
//! `planning` opens the models, tokenises the prompts and asks every kind of job (`kinds/`, a file each) for its jobs;
//! `executor` runs the jobs of that plan whose outputs are not stored; `evidence` reads outputs as tables for judgements and the
//! report; `measuring` observes prompts given on the command line.

mod calibrated;
mod calibrating;
mod cells;
mod device;
mod error;
mod evidence;
mod executor;
mod explaining;
mod inputs;
mod kinds;
mod lacking;
mod ledger;
mod leftovers;
mod measured_jobs;
mod measuring;
mod needs;
mod places;
mod planning;
mod provenance;
mod recording;
mod registering;
mod regressing;
mod reporting;
mod running;
mod sharding;
mod subject;
mod supply;
mod walks;
mod wiring;
mod written;

pub use calibrating::calibrate;
pub use cells::{Cell, observe_fields_of_ids};
pub use device::{runtime, runtime_library};
pub use error::{ModelFailure, PipelineError};
pub use executor::Done;
pub use explaining::{Explained, explain};
pub use inputs::{Inputs, Unmeasured, WhyUnmeasured};
pub use measuring::{Measured, Request, Source, measure_requests};
pub use needs::{ModelNeeds, needs};
pub use places::Places;
pub use planning::{Planned, plan};
pub use recording::register;
pub use registering::registrations;
pub use regressing::{Rerun, rerun};
pub use running::{Summary, Tally, run};
pub use subject::{
    PendingTokenizer, Subject, SubjectError, WhenMissing, change, checkpoint, lineage, locate, locate_hub,
    tokenizer, unopened,
};
pub use supply::{Supply, supplies};
pub use walks::{observe, weigh};
pub use written::Written;
