//! The time of the processor, which other work of the machine does not take.

use std::time::Duration;

/// What this thread has used of the processor since it began.
#[cfg(unix)]
pub fn used_by_thread() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call writes one `timespec`, to the place that it is given, and keeps nothing.
    let failed = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) } != 0;
    if failed { Duration::ZERO } else { Duration::new(time.tv_sec as u64, time.tv_nsec as u32) }
}

/// What this thread may have used of the processor: the time since it first asked.
#[cfg(not(unix))]
pub fn used_by_thread() -> Duration {
    std::thread_local!(static FIRST: std::time::Instant = std::time::Instant::now());
    FIRST.with(std::time::Instant::elapsed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_work_takes_time_of_the_processor() {
        let before = used_by_thread();
        std::thread::sleep(Duration::from_millis(50));
        let slept = used_by_thread() - before;
        let mut turns = 0u64;
        while used_by_thread() - before < Duration::from_millis(60) {
            turns = std::hint::black_box(turns + 1);
        }
        assert!(!cfg!(unix) || slept < Duration::from_millis(40), "{slept:?}");
    }
}
