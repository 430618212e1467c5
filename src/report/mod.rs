//! The report: one view model, rendered as Markdown with SVG and PNG plots.
