//! Why a registration cannot be used or made.

use std::path::PathBuf;

use base::hash::Key;

/// Why a registration cannot be used or made.
#[derive(Debug, thiserror::Error)]
pub enum RegistrationError {
    /// The file is no log of registrations, or an entry was changed, removed or exchanged.
    #[error("{}: {what}; restore it from version control", path.display())]
    Broken {
        /// The log.
        path: PathBuf,
        /// What is wrong with it, in words.
        what: String,
    },
    /// The file cannot be read.
    #[error("cannot read {}: {what}; name a results folder that this user may read and write", path.display())]
    Read {
        /// The log.
        path: PathBuf,
        /// What is wrong with it, in words.
        what: String,
    },
    /// The file cannot be written.
    #[error("cannot write {}: {what}; name a results folder that this user may read and write", path.display())]
    Write {
        /// The log.
        path: PathBuf,
        /// What is wrong with it, in words.
        what: String,
    },
    /// The hypothesis means something else than its first registration, and no note says why.
    #[error(
        "{id} was registered as {} and means something else now; say why with --note, the first registration stays",
        first.short()
    )]
    Changed {
        /// Id of the hypothesis.
        id: String,
        /// Hash of what was registered first.
        first: Key,
    },
    /// Other prompts, models, tables, another seed or judge than at the last registration, and no note says why.
    #[error(
        "{id} means what it was registered as, but {}; say why with --note, the first registration stays",
        what.join("; ")
    )]
    EnteredChanged {
        /// Id of the hypothesis.
        id: String,
        /// What entered otherwise, in words.
        what: Vec<String>,
    },
    /// The experiment has no hypothesis of this id.
    #[error("no hypothesis {id:?} in this experiment; it has {known}")]
    Unknown {
        /// The id that was asked for.
        id: String,
        /// The ids that the experiment has.
        known: String,
    },
    /// A draft is to be registered.
    #[error(
        "{id} is a draft (status = \"draft\"); write \"prospective\" or \"re-analysis\" into its file to register it"
    )]
    Draft {
        /// Id of the hypothesis.
        id: String,
    },
    /// A hypothesis says that its data are unseen, and the store has them.
    #[error(
        "{id} says status = \"prospective\", but the store already holds {held} of the {of} outputs that it is to be judged on, e.g. \
         {example}; write status = \"re-analysis\", or name prompts or models that nobody has run"
    )]
    Seen {
        /// Id of the hypothesis.
        id: String,
        /// Outputs that the store has.
        held: usize,
        /// Outputs that the verdict needs.
        of: usize,
        /// One that it has.
        example: String,
    },
}
