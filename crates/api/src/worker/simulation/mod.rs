//! A deterministic simulation of workers around the pure [`step`](super::step::step): two workers,
//! executors, a database, an engine and a clock, all of them fakes, in an order drawn from a seed.
//!
//! The fakes promise what the real ones promise and no more: a write checks owner and epoch in the
//! database, a claim is exclusive, a sweep finds what is marked. A worker may fall asleep between
//! its look and its deed, executors may come late, everything may die, and the database's clock may
//! jump. The invariants are checked after every event; then the faults stop and everything must end.
//!
//! `LMMS_SIM_SEED` and `LMMS_SIM_COUNT` choose other schedules.

mod chance;
mod executor;
mod worker;
mod world;

use world::World;

/// Schedules in every test run.
const COUNT: u64 = 100_000;
/// Events with faults in each.
const EVENTS: u32 = 60;

fn number(variable: &str, default: u64) -> u64 {
    let set = std::env::var(variable).ok();
    set.map_or(default, |text| text.parse().expect("a number"))
}

/// Plays one schedule; what is broken, and what led there when it is traced.
fn play(seed: u64, traced: bool) -> Result<(), String> {
    let mut world = World::new(seed, traced);
    let outcome = (0..EVENTS)
        .try_for_each(|_| world.event())
        .and_then(|()| world.drain());
    outcome.map_err(|broken| format!("seed {seed}: {broken}\n{}", world.story()))
}

fn play_all(from: u64, to: u64) -> Result<(), String> {
    let failed = (from..to).find(|&seed| play(seed, false).is_err());
    failed.map_or(Ok(()), |seed| play(seed, true))
}

#[test]
fn no_schedule_breaks_an_invariant() {
    let first = number("LMMS_SIM_SEED", 0);
    let count = number("LMMS_SIM_COUNT", COUNT);
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    let share = count.div_ceil(threads);
    let results: Vec<Result<(), String>> = std::thread::scope(|scope| {
        let spawn = |n: u64| {
            let from = first + n * share;
            let to = (from + share).min(first + count);
            scope.spawn(move || play_all(from, to))
        };
        let handles: Vec<_> = (0..threads).map(spawn).collect();
        handles.into_iter().map(|h| h.join().expect("no panic")).collect()
    });
    for result in results {
        result.unwrap_or_else(|story| panic!("{story}"));
    }
}

#[test]
fn a_schedule_is_the_same_every_time() {
    let story = |seed| {
        let mut world = World::new(seed, true);
        (0..EVENTS).try_for_each(|_| world.event()).expect("sound");
        world.story()
    };
    assert_eq!(story(11), story(11));
    assert_ne!(story(11), story(12));
}

#[test]
fn the_schedules_reach_every_kind_of_end() {
    let mut ends = std::collections::BTreeSet::new();
    for seed in 0..2000 {
        let mut world = World::new(seed, false);
        (0..EVENTS).try_for_each(|_| world.event()).expect("sound");
        world.drain().expect("sound");
        ends.extend(world.ends());
    }
    let ends: Vec<&str> = ends.into_iter().collect();
    assert_eq!(ends, ["cancelled", "failed", "lost", "succeeded"]);
}
