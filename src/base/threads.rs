//! Threads, where the system may give fewer than are wanted: the program goes on with those that it gets.
//!
//! Who makes threads asks here: the pool of this program, the runtime's pool, and single threads that do something beside.

use std::{
    env, panic,
    sync::{OnceLock, mpsc},
    thread::{self, JoinHandle, Scope, ScopedJoinHandle},
};

/// Fewer than these cannot do the work: one of this program's pool, and one that reads and writes tables.
const LEAST: usize = 2;

/// The variable that says how many threads the pool is to have.
const VARIABLE: &str = "RAYON_NUM_THREADS";

/// The variable by which the reader of tables is told the same.
const OF_TABLES: &str = "POLARS_MAX_THREADS";

/// Single threads that may live beside the pools: one that opens a tokenizer or the store, that reads ahead, that writes a profile.
const SINGLE: usize = 4;

/// What the system gave, where it was less than was wanted.
static FEW: OnceLock<Fewer> = OnceLock::new();

/// The system gave fewer threads than were wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{wanted} threads are wanted and the system gives {given}: going on with {used} at a time (see `ulimit -u`, the limit of \
     the container, or RAYON_NUM_THREADS)"
)]
pub struct Fewer {
    /// One for every core, or `RAYON_NUM_THREADS`, and what the tables and single threads need beside.
    pub wanted: usize,
    /// How many there were.
    pub given: usize,
    /// How many a pool has now.
    pub used: usize,
}

/// The system gave too few threads to work with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the system lets this process start {given} threads, at least {LEAST} are needed: raise `ulimit -u` or the limit of \
     the container, or end other processes"
)]
pub struct TooFew {
    /// How many there were.
    pub given: usize,
}

/// A thread of the pool to be, which waits for its work.
struct Waiting {
    give: mpsc::Sender<rayon::ThreadBuilder>,
    thread: JoinHandle<()>,
}

/// Makes the pool that all parallel work of the process shares. To be called once, before there are other threads. Without it
/// the pool is made at its first use, and the process panics where its threads cannot be made.
///
/// # Errors
/// When there are not even threads for a slow run.
pub fn begin() -> Result<(), TooFew> {
    let asked = asked();
    // The pool of tables has a thread for every core; it and single threads are made later, and must find room.
    let wanted = asked + cores() + SINGLE;
    // The pool cannot be made twice: first the threads, then a pool of as many as there are.
    let mut threads: Vec<Waiting> = Vec::new();
    while threads.len() < wanted
        && let Some(thread) = waiting()
    {
        threads.push(thread);
    }
    let given = threads.len();
    let enough = given == wanted;
    let used = if enough { asked } else { (given / 3).clamp(1, asked) };
    for Waiting { give, thread } in threads.split_off(used.min(given)) {
        drop(give);
        let _ = thread.join(); // it ends without having done anything
    }
    if given < LEAST {
        return Err(TooFew { given });
    }
    if !enough {
        let _ = FEW.set(Fewer { wanted, given, used });
        // SAFETY: the threads of this process are this one and those that wait for their first work; none reads a variable.
        unsafe { env::set_var(OF_TABLES, "1") };
    }
    let mut free = threads.into_iter();
    let built = rayon::ThreadPoolBuilder::new().num_threads(free.len()).spawn_handler(|work| {
        let gone = || std::io::Error::other("no thread is left");
        free.next().ok_or_else(gone)?.give.send(work).map_err(|_| gone())
    });
    // Only a pool that is there already is refused, by a caller that was not the first.
    let _ = built.build_global();
    Ok(())
}

/// What is to be said where the system gave fewer threads than were wanted.
pub fn fewer() -> Option<Fewer> {
    FEW.get().copied()
}

/// How many threads a pool beside that of this process may have: one for every core, or fewer where there are few.
pub fn of_a_pool() -> usize {
    let cores = cores();
    FEW.get().map_or(cores, |few| cores.min(few.used))
}

/// For a single thread that does something beside; `None` where threads are few, so that the pools have them.
pub fn single(name: &str) -> Option<thread::Builder> {
    FEW.get().is_none().then(|| thread::Builder::new().name(name.to_string()))
}

/// A task that runs beside the thread that asked for it, or is done already.
pub enum Beside<'s, T> {
    /// On a thread of its own.
    Running(ScopedJoinHandle<'s, T>),
    /// There was no thread for it: it was done at once.
    Done(T),
}

/// Does a task on a thread of its own; where there is none to be had, here and now.
pub fn beside<'s, T: Send + 's>(
    scope: &'s Scope<'s, '_>,
    name: &str,
    task: impl FnOnce() -> T + Send + 's,
) -> Beside<'s, T> {
    // A thread that cannot be made would take the task with it: it is handed over when the thread is there.
    let (give, take) = mpsc::channel::<Box<dyn FnOnce() -> T + Send + 's>>();
    let run = move || match take.recv() {
        Ok(task) => task(),
        Err(mpsc::RecvError) => unreachable!("the task is sent as soon as the thread is there"),
    };
    match single(name).map(|builder| builder.spawn_scoped(scope, run)) {
        Some(Ok(thread)) => {
            let _ = give.send(Box::new(task)); // the thread waits for it
            Beside::Running(thread)
        }
        _ => Beside::Done(task()),
    }
}

impl<T> Beside<'_, T> {
    /// What the task gave; a panic of it goes on here.
    pub fn join(self) -> T {
        match self {
            Beside::Running(thread) => thread.join().unwrap_or_else(|panic| panic::resume_unwind(panic)),
            Beside::Done(value) => value,
        }
    }
}

fn waiting() -> Option<Waiting> {
    let (give, take) = mpsc::channel::<rayon::ThreadBuilder>();
    let work = move || {
        if let Ok(work) = take.recv() {
            work.run();
        }
    };
    let thread = thread::Builder::new().name("worker".into()).spawn(work).ok()?;
    Some(Waiting { give, thread })
}

fn asked() -> usize {
    let stated = env::var(VARIABLE).ok().and_then(|text| text.parse().ok()).filter(|count| *count > 0);
    stated.unwrap_or_else(cores).min(rayon::max_num_threads())
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_beside_gives_its_value_and_its_panic() {
        let found = thread::scope(|scope| {
            let task = beside(scope, "six", || 6 * 7);
            task.join()
        });
        assert_eq!(found, 42);
        let panicked = panic::catch_unwind(|| {
            thread::scope(|scope| beside(scope, "panic", || panic::panic_any("told")).join());
        });
        assert_eq!(panicked.unwrap_err().downcast_ref::<&str>(), Some(&"told"));
    }

    #[test]
    fn the_pool_has_a_thread_for_every_core_where_the_system_gives_them() {
        assert_eq!((begin(), fewer()), (Ok(()), None));
        assert_eq!(rayon::current_num_threads(), asked());
        assert_eq!((rayon::join(|| 1, || 2), of_a_pool()), ((1, 2), cores()));
    }
}
