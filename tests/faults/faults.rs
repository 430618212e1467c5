//! What can happen to a call: its kinds, the errors each may give by its manual, and the ways a fault goes on.

/// An error number of Linux.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Errno {
    pub name: &'static str,
    pub number: i32,
}

const EINTR: Errno = Errno { name: "EINTR", number: 4 };
const EIO: Errno = Errno { name: "EIO", number: 5 };
const ENOMEM: Errno = Errno { name: "ENOMEM", number: 12 };
const EACCES: Errno = Errno { name: "EACCES", number: 13 };
const EMFILE: Errno = Errno { name: "EMFILE", number: 24 };
const ENOSPC: Errno = Errno { name: "ENOSPC", number: 28 };
const ECONNRESET: Errno = Errno { name: "ECONNRESET", number: 104 };
const ECONNREFUSED: Errno = Errno { name: "ECONNREFUSED", number: 111 };

/// Calls that the injector counts together.
#[derive(Debug)]
pub(crate) struct Kind {
    pub name: &'static str,
    /// Errors that the kernel may give. The first of them, a full table of descriptors and a full disk also last.
    pub errors: &'static [Errno],
    /// Whether it may do half of what it was asked.
    pub halves: bool,
    /// Whether it changes what is on the disk: then the process is killed before and after it.
    pub changes: bool,
}

const fn kind(name: &'static str, errors: &'static [Errno]) -> Kind {
    Kind { name, errors, halves: false, changes: false }
}

const fn changing(name: &'static str, errors: &'static [Errno]) -> Kind {
    Kind { name, errors, halves: false, changes: true }
}

/// Sorted by name, as the table is.
pub(crate) const KINDS: [Kind; 19] = [
    changing("chmod", &[EIO, EACCES]),
    kind("connect", &[ECONNREFUSED, EINTR, ENOMEM]),
    changing("create", &[EIO, EMFILE, ENOMEM, ENOSPC, EACCES, EINTR]),
    changing("link", &[EIO, ENOMEM, ENOSPC, EACCES]),
    kind("list", &[EIO]),
    kind("lock", &[EIO, ENOMEM, EINTR]),
    changing("mkdir", &[EIO, ENOMEM, ENOSPC, EACCES]),
    kind("mmap", &[ENOMEM, EACCES]),
    kind("open", &[EIO, EMFILE, ENOMEM, EACCES, EINTR]),
    Kind { name: "read", errors: &[EIO, ENOMEM, EINTR], halves: true, changes: false },
    Kind { name: "receive", errors: &[ECONNRESET, EIO, ENOMEM, EINTR], halves: true, changes: false },
    changing("rename", &[EIO, ENOMEM, ENOSPC, EACCES]),
    Kind { name: "send", errors: &[ECONNRESET, EIO, ENOMEM, EINTR], halves: true, changes: false },
    kind("socket", &[EMFILE, ENOMEM, EACCES]),
    kind("stat", &[EIO, ENOMEM, EACCES]),
    changing("sync", &[EIO, ENOSPC, EINTR]),
    changing("truncate", &[EIO, ENOSPC, EINTR]),
    changing("unlink", &[EIO, EACCES]),
    Kind { name: "write", errors: &[ENOSPC, EIO, EINTR], halves: true, changes: true },
];

/// How a fault goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    /// One call fails.
    Once(Errno),
    /// It and all later calls of its kind fail.
    Sticky(Errno),
    /// One call does half of what it was asked, which is no error.
    Short,
    /// One call writes half, and all later ones find the disk full.
    Full,
    /// The process is killed before the call.
    KilledBefore,
    /// The process is killed after the call.
    KilledAfter,
}

impl Way {
    /// Every way in which a call of this kind goes wrong.
    pub(crate) fn of(kind: &Kind) -> Vec<Way> {
        let mut ways: Vec<Way> = kind.errors.iter().map(|&errno| Way::Once(errno)).collect();
        let lasts = |errno: &Errno| *errno == kind.errors[0] || [EMFILE, ENOSPC].contains(errno);
        ways.extend(kind.errors.iter().copied().filter(lasts).map(Way::Sticky));
        if kind.halves {
            ways.push(Way::Short);
        }
        if kind.halves && kind.changes {
            ways.push(Way::Full);
        }
        if kind.changes {
            ways.extend([Way::KilledBefore, Way::KilledAfter]);
        }
        ways
    }

    /// Whether the program never gets to say anything.
    pub(crate) fn kills(self) -> bool {
        matches!(self, Way::KilledBefore | Way::KilledAfter)
    }

    /// Whether it is no failure: a program that reads and writes as the manual says gets over it.
    pub(crate) fn harmless(self) -> bool {
        matches!(self, Way::Short) || self == Way::Once(EINTR)
    }

    /// Its name in the table.
    pub(crate) fn name(self) -> String {
        match self {
            Way::Once(errno) => errno.name.to_string(),
            Way::Sticky(errno) => format!("{}, from there on", errno.name),
            Way::Short => "half".into(),
            Way::Full => "half, then ENOSPC".into(),
            Way::KilledBefore => "killed before".into(),
            Way::KilledAfter => "killed after".into(),
        }
    }

    /// As the injector knows it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Way::Once(_) => "once",
            Way::Sticky(_) => "sticky",
            Way::Short => "short",
            Way::Full => "full",
            Way::KilledBefore => "before",
            Way::KilledAfter => "after",
        }
    }

    pub(crate) fn errno(self) -> i32 {
        match self {
            Way::Once(errno) | Way::Sticky(errno) => errno.number,
            _ => ENOSPC.number,
        }
    }
}
