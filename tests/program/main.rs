//! The program as a whole: commands, the store, the hub, runs from end to end.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod as_people_have_them;
#[cfg(target_os = "linux")]
mod beyond_memory;
mod calibrated;
mod commands;
mod end_to_end;
mod gguf;
mod hostile;
mod hub;
mod keys;
mod left_by_tools;
mod lost;
mod registrations;
mod regress;
mod sandbox;
mod store;
mod terminal;
mod tidy;
mod tokenizers;
#[cfg(target_os = "linux")]
mod watched;
