//! The report as a document: pages of headings, paragraphs, tables, facts and figures, built once and written by every pen.
//!
//! A number enters a line only as a [`Span`] that says what it was computed under, so no form of the report can print one
//! without its protocol.

mod address;
mod block;
mod digits;
mod figure;
mod line;
mod protocols;
mod says;
mod table;
mod walk;
mod whole;

pub(super) use address::{
    STATISTICS, WEIGHTS, hypothesis_address, metric_address, model_address, protocol_address, slug,
};
pub(super) use block::{Block, Fate, Fates, Role, minor, paragraph, remarks};
pub(super) use digits::{
    Digits, MISSING, count, estimate, interval, number, optional, percent, probability, statistic,
};
pub(super) use figure::{Csv, FigureBlock, Picture, PicturePart, exact};
pub(super) use line::{
    Basis, Line, Sign, Span, code, emphasis, line, link, or_dash, prose, protocol_links, strong,
};
pub(super) use protocols::{Placement, beside};
pub use says::{Part, Said};
pub(super) use table::{Cell, Table, column, row};
pub(super) use whole::{Document, Group, Page, unique};
