//! What a number is: observations, protocols, metrics, evidence.

pub mod evidence;
pub mod facts;
pub mod index;
pub mod lineage;
pub mod mean;
pub mod metric;
pub mod observation;
pub mod protocol;
pub mod spectra;
pub mod text;
pub mod weights;
