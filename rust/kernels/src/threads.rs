//! How many threads the kernels may use, and the one place that shares work among them.

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::error::Error;

/// More than any kernel can use; so many are not started.
const MOST: usize = 256;

/// So many threads for kernels, at most. They may serve several calls at once and then share the threads.
#[derive(Debug)]
pub struct Threads(Team);

#[derive(Debug)]
enum Team {
    /// Rayon's own pool of all cores, which starts when it is first used.
    AllCores,
    /// The thread that calls a kernel does all of it.
    Caller,
    Pool(ThreadPool),
}

impl Threads {
    /// All cores for `None`, the calling thread alone for 1, else a pool of that many threads (256 at most).
    ///
    /// # Errors
    ///
    /// When the count is below 1 or the system starts no more threads.
    pub fn new(count: Option<i64>) -> Result<Self, Error> {
        let team = match count {
            None => Team::AllCores,
            Some(1) => Team::Caller,
            Some(got) if got < 1 => return Err(Error::NoThreads { got }),
            Some(got) => {
                let count = usize::try_from(got).unwrap_or(MOST).min(MOST);
                let named = ThreadPoolBuilder::new().num_threads(count).thread_name(|n| format!("dragonnx-{n}"));
                let refused = |error: rayon::ThreadPoolBuildError| Error::Threads { count, reason: error.to_string() };
                Team::Pool(named.build().map_err(refused)?)
            }
        };
        Ok(Self(team))
    }

    /// How many threads, at most; `None` for all cores.
    #[must_use]
    pub fn count(&self) -> Option<usize> {
        match &self.0 {
            Team::AllCores => None,
            Team::Caller => Some(1),
            Team::Pool(pool) => Some(pool.current_num_threads()),
        }
    }

    /// `work` on each task; gives the results in the order of the tasks.
    ///
    /// At least `least` tasks go together, and what makes up no more than one such piece stays on the calling thread.
    /// `memory` makes what a piece works with.
    pub(crate) fn map<T: Send, M, R: Send>(
        &self,
        tasks: Vec<T>,
        least: usize,
        memory: impl Fn() -> M + Send + Sync,
        work: impl Fn(&mut M, T) -> R + Send + Sync,
    ) -> Vec<R> {
        let shared = |tasks: Vec<T>| tasks.into_par_iter().with_min_len(least).map_init(&memory, &work).collect();
        let worth_it = tasks.len() >= 2 * least;
        match &self.0 {
            Team::AllCores if worth_it => shared(tasks),
            Team::Pool(pool) if worth_it => pool.install(|| shared(tasks)),
            _ => {
                let mut memory = memory();
                tasks.into_iter().map(|task| work(&mut memory, task)).collect()
            }
        }
    }
}

/// How many of some tasks make a piece of work of at least `grain`, where all of them together are `work`.
pub(crate) fn tasks_together(tasks: usize, work: usize, grain: usize) -> usize {
    (tasks * grain).div_ceil(work.max(1)).max(1)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::thread;

    use super::*;

    /// The threads that a hundred tasks ran on.
    fn used(threads: &Threads) -> HashSet<thread::ThreadId> {
        let ids = threads.map(vec![(); 100], 1, || (), |(), ()| thread::current().id());
        ids.into_iter().collect()
    }

    #[test]
    fn one_thread_is_the_calling_one() {
        let threads = Threads::new(Some(1)).expect("no pool");
        assert_eq!(used(&threads), HashSet::from([thread::current().id()]));
    }

    #[test]
    fn a_pool_keeps_to_its_threads() {
        let threads = Threads::new(Some(3)).expect("three threads");
        let all: HashSet<_> = (0..50).flat_map(|_| used(&threads)).collect();
        assert!(all.len() <= 3, "{all:?}");
        assert!(!all.contains(&thread::current().id()));
    }

    #[test]
    fn results_keep_the_order_of_the_tasks() {
        let tasks: Vec<usize> = (0..1000).collect();
        for count in [None, Some(1), Some(2), Some(3)] {
            let threads = Threads::new(count).expect("few threads");
            assert_eq!(threads.map(tasks.clone(), 10, || (), |(), task| task), tasks);
        }
    }

    #[test]
    fn too_few_tasks_stay_with_their_caller() {
        let threads = Threads::new(Some(2)).expect("two threads");
        let ran_on = threads.map(vec![(); 7], 4, || (), |(), ()| thread::current().id());
        assert_eq!(ran_on, [thread::current().id(); 7]);
    }
}
