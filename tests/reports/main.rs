//! The report, in the forms in which readers get it.

mod html;
mod page;
mod report;
