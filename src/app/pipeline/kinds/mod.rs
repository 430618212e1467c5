//! The kinds of job, a file each. A new kind is its file, its `mod` line and its line in [`all`].

mod export;
mod judge;
mod observe;
mod report;
mod spectra;
mod weigh;

use super::executor::Kind;

/// Every kind, in the order in which they are counted and make their jobs: each after those whose jobs its own need.
pub(super) fn all() -> Vec<Box<dyn Kind>> {
    vec![
        Box::new(export::Export),
        Box::new(observe::Observe),
        Box::new(weigh::Weigh::default()),
        Box::new(spectra::Spectra::default()),
        Box::new(judge::Judge::default()),
        Box::new(report::Report::default()),
    ]
}
