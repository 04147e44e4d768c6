//! What runs next: pure bookkeeping over the processes of a job.
//!
//! A benchmark is started at most once, and once more for each retry that the job allows.

use crate::job::{Job, JobProcess};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What has run and what is left.
#[derive(Debug)]
pub(super) struct Schedule {
    queue: VecDeque<JobProcess>,
    fallback: Vec<JobProcess>,
    retries: u32,
    starts: BTreeMap<u32, u32>,
    done: BTreeSet<u32>,
}

/// How a process ended.
#[derive(Debug, Default)]
pub(super) struct Ended {
    /// The benchmark that was running, when it had not finished.
    pub(super) current: Option<u32>,
    /// Whether any benchmark was started in it.
    pub(super) began: bool,
    /// Whether the driver does not fit this lmms-eval.
    pub(super) hook_missing: bool,
    /// Whether we stopped it.
    pub(super) stopped: bool,
    /// Whether the benchmark killed it, which a retry may help against.
    pub(super) died: bool,
}

/// What follows from the end of a process.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Follow {
    /// Benchmarks whose end must be judged now.
    pub(super) judge: Vec<u32>,
    /// A benchmark that will be started again.
    pub(super) retry: Option<u32>,
    /// Whether plain processes take over.
    pub(super) fell_back: bool,
}

impl Schedule {
    pub(super) fn new(job: &Job) -> Self {
        Self {
            queue: job.processes.iter().cloned().collect(),
            fallback: job.fallback_processes.clone(),
            retries: job.retry_benchmark,
            starts: BTreeMap::new(),
            done: BTreeSet::new(),
        }
    }

    /// The next process with something left to do.
    pub(super) fn next(&mut self) -> Option<JobProcess> {
        while let Some(process) = self.queue.pop_front() {
            if let Some(process) = self.rest_of(process) {
                return Some(process);
            }
        }
        None
    }

    /// A benchmark starts.
    pub(super) fn started(&mut self, order: u32) {
        *self.starts.entry(order).or_default() += 1;
    }

    /// A benchmark has its verdict.
    pub(super) fn done(&mut self, order: u32) {
        self.done.insert(order);
    }

    pub(super) fn is_done(&self, order: u32) -> bool {
        self.done.contains(&order)
    }

    /// How often a benchmark was started.
    pub(super) fn starts(&self, order: u32) -> u32 {
        self.starts.get(&order).copied().unwrap_or(0)
    }

    /// A process ended. The verdicts that this asks for must be given before [`Self::next`].
    pub(super) fn ended(&mut self, process: JobProcess, how: &Ended) -> Follow {
        if how.hook_missing && !self.fallback.is_empty() {
            self.fall_back(&process);
            return Follow {
                fell_back: true,
                ..Follow::default()
            };
        }
        let mut follow = Follow::default();
        match how.current.filter(|order| !self.done.contains(order)) {
            Some(order) if how.died && self.starts(order) <= self.retries => follow.retry = Some(order),
            Some(order) => follow.judge.push(order),
            // It never came to work, and would not the next time either.
            None if !how.began && !how.stopped => follow.judge = self.left_in(&process),
            None => {}
        }
        for &order in &follow.judge {
            self.done.insert(order);
        }
        self.queue.push_front(process);
        follow
    }

    fn fall_back(&mut self, process: &JobProcess) {
        let left = self.left_in(process);
        let plain = self.fallback.iter().rev();
        let plain = plain.filter(|p| p.benchmarks.iter().any(|b| left.contains(&b.order)));
        for process in plain.cloned().collect::<Vec<_>>() {
            self.queue.push_front(process);
        }
    }

    fn left_in(&self, process: &JobProcess) -> Vec<u32> {
        let orders = process.benchmarks.iter().map(|b| b.order);
        orders.filter(|order| !self.done.contains(order)).collect()
    }

    /// The process without what is done; the driver is told which ones are left.
    fn rest_of(&self, mut process: JobProcess) -> Option<JobProcess> {
        let planned = process.benchmarks.len();
        let again = process.benchmarks.iter().any(|b| self.starts(b.order) > 0);
        process.benchmarks.retain(|b| !self.done.contains(&b.order));
        let left = process.benchmarks.len();
        if process.is_driver() && left > 0 && (again || left < planned) {
            process.limit_to_its_benchmarks();
        }
        (left > 0).then_some(process)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::{JobBenchmark, Limits, MediaLimits};
    use types::Isolation;

    fn process(orders: &[u32], argv: &[&str]) -> JobProcess {
        let benchmark = |&order: &u32| JobBenchmark {
            order,
            name: format!("task{order}"),
            run_benchmark_id: uuid::Uuid::nil().into(),
            leaf_tasks: Vec::new(),
            argv: Vec::new(),
            output_path: format!("out/{order}"),
        };
        JobProcess {
            argv: argv.iter().map(|&a| a.to_owned()).collect(),
            env_extra: BTreeMap::new(),
            benchmarks: orders.iter().map(benchmark).collect(),
        }
    }

    fn schedule(retries: u32) -> Schedule {
        let nil = uuid::Uuid::nil();
        Schedule::new(&Job {
            version: 1,
            run_id: nil.into(),
            attempt_id: nil.into(),
            epoch: 1,
            tracking_id: "t".to_owned(),
            python: "/p".to_owned(),
            processes: vec![process(&[0, 1, 2], &["/p", "driver.py", "job.json"])],
            fallback_processes: (0..3)
                .map(|n| process(&[n], &["/p", "-m", "lmms_eval"]))
                .collect(),
            env: BTreeMap::new(),
            secret_env: Vec::new(),
            gpus: Vec::new(),
            endpoint_file: None,
            endpoint_url: None,
            limits: Limits::default(),
            retry_benchmark: retries,
            isolation: Isolation::ModelOnce,
            media: MediaLimits::default(),
        })
    }

    fn died(order: u32) -> Ended {
        Ended {
            current: Some(order),
            began: true,
            died: true,
            ..Ended::default()
        }
    }

    #[test]
    fn a_killed_benchmark_is_judged_and_the_rest_goes_on() {
        let mut schedule = schedule(0);
        let first = schedule.next().unwrap();
        schedule.started(0);
        schedule.done(0);
        schedule.started(1);
        assert_eq!(schedule.ended(first, &died(1)).judge, [1]);
        let second = schedule.next().unwrap();
        assert_eq!(second.argv, ["/p", "driver.py", "job.json", "--only", "2"]);
        schedule.started(2);
        assert_eq!(schedule.ended(second, &died(2)).judge, [2]);
        assert!(schedule.next().is_none());
    }

    #[test]
    fn a_retry_starts_it_once_more_and_then_no_more() {
        let mut schedule = schedule(1);
        let first = schedule.next().unwrap();
        schedule.started(0);
        assert_eq!(schedule.ended(first, &died(0)).retry, Some(0));
        let second = schedule.next().unwrap();
        assert_eq!(second.argv[3..], ["--only", "0,1,2"]);
        schedule.started(0);
        assert_eq!(schedule.ended(second, &died(0)).judge, [0]);
        let third = schedule.next().unwrap();
        assert_eq!(third.argv[3..], ["--only", "1,2"]);
    }

    #[test]
    fn a_driver_that_does_not_fit_gives_way_to_plain_processes() {
        let mut schedule = schedule(0);
        let first = schedule.next().unwrap();
        schedule.started(0);
        schedule.done(0);
        let how = Ended {
            hook_missing: true,
            began: true,
            ..Ended::default()
        };
        assert!(schedule.ended(first, &how).fell_back);
        assert_eq!(schedule.next().unwrap().benchmarks[0].order, 1);
        assert_eq!(schedule.next().unwrap().benchmarks[0].order, 2);
        assert!(schedule.next().is_none());
    }

    #[test]
    fn a_process_that_never_came_to_work_fails_all_of_its_benchmarks() {
        let mut schedule = schedule(3);
        let first = schedule.next().unwrap();
        let how = Ended {
            died: true,
            ..Ended::default()
        };
        assert_eq!(schedule.ended(first, &how).judge, [0, 1, 2]);
        assert!(schedule.next().is_none());
    }

    #[test]
    fn what_we_stopped_before_it_worked_is_not_judged() {
        let mut schedule = schedule(0);
        let first = schedule.next().unwrap();
        let how = Ended {
            stopped: true,
            ..Ended::default()
        };
        assert_eq!(schedule.ended(first, &how), Follow::default());
    }
}
