//! The report, in the forms in which readers get it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod forms;
mod hostile;
mod html;
mod page;
mod report;
mod snapshots;
