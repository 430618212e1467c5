//! What several kinds of test share: groups, lineages and families of models, trainings, places in a profile, and units in words.

pub(super) mod blocks;
pub(super) mod by;
pub(super) mod centred;
pub(super) mod correlation_method;
pub(super) mod every;
pub(super) mod families;
pub(super) mod levels;
pub(super) mod lineages;
pub(super) mod locate;
pub(super) mod revisions;
pub(super) mod sides;
pub(super) mod units;
