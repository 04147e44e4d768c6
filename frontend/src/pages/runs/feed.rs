//! The rows behind the table: pages are fetched when they come into sight, and those in sight are kept fresh.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use gloo_timers::callback::Interval;
use leptos::{prelude::*, task::spawn_local};
use send_wrapper::SendWrapper;
use types::{RunList, RunStatus, RunSummary};
use web_sys::AbortController;

use super::filter::Sorting;
use crate::{
    api::{
        client::{Client, use_client},
        endpoints::{self, RunQuery},
    },
    components::{panel::Load, time::now_ms},
    url::use_organization,
};

/// Rows per request.
const PAGE: usize = 100;
/// The most rows that are ordered by something else than the server's order.
pub const SORTED_AT_MOST: usize = 2000;
/// The most pages that are kept: who scrolls through a hundred thousand rows does not keep them all.
const KEPT: usize = 40;
/// How often the rows in sight are asked for again while something moves, and while nothing does.
const FAST: u32 = 3000;
const SLOW: u32 = 15_000;

/// The rows that are known.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    pages: BTreeMap<usize, Arc<Vec<RunSummary>>>,
    sorted: Option<Arc<Vec<RunSummary>>>,
    /// How many rows match in all.
    pub total: usize,
    /// How many there are per status, without the filter by status.
    pub counts: BTreeMap<RunStatus, u64>,
}

impl Rows {
    /// The row at a place, if it is known.
    pub fn row(&self, index: usize) -> Option<&RunSummary> {
        match &self.sorted {
            Some(sorted) => sorted.get(index),
            None => self.pages.get(&(index / PAGE))?.get(index % PAGE),
        }
    }

    /// The number of rows of the table.
    pub fn shown(&self) -> usize {
        self.sorted.as_ref().map_or(self.total, |sorted| sorted.len())
    }

    /// All rows that are known.
    pub fn known(&self) -> impl Iterator<Item = &RunSummary> {
        self.pages.values().flat_map(|page| page.iter())
    }

    fn put(&mut self, page: usize, list: RunList) {
        self.total = list.total as usize;
        self.counts = list.counts;
        self.pages.insert(page, Arc::new(list.runs));
        let pages = self.total.div_ceil(PAGE);
        self.pages.retain(|page, _| *page < pages.max(1));
        self.forget_far(page);
    }

    /// Keeps the pages around one. An order of the table's own needs all of its rows, and has fewer.
    fn forget_far(&mut self, page: usize) {
        while self.sorted.is_none() && self.pages.len() > KEPT {
            let ends = [self.pages.keys().next(), self.pages.keys().next_back()];
            let far = ends
                .into_iter()
                .flatten()
                .max_by_key(|end| end.abs_diff(page))
                .copied();
            let Some(far) = far else { return };
            self.pages.remove(&far);
        }
    }

    /// Orders what is known; the server's own order needs no copy.
    fn order(&mut self, sorting: Sorting, now: f64) {
        self.sorted = (!sorting.is_default()).then(|| {
            let mut rows: Vec<RunSummary> = self.known().cloned().collect();
            sorting.apply(&mut rows, now);
            Arc::new(rows)
        });
    }

    fn is_moving(&self) -> bool {
        let active = [RunStatus::Pending, RunStatus::Queued, RunStatus::Running];
        active
            .iter()
            .any(|status| self.counts.get(status).is_some_and(|count| *count > 0))
    }

    /// The pages that are needed for these rows and not known.
    fn missing(&self, window: &Range<usize>, sorting: Sorting) -> Vec<usize> {
        let needed = needed(window, self.total, sorting);
        needed.filter(|page| !self.pages.contains_key(page)).collect()
    }
}

/// The pages under a window; all of them, up to a limit, when the table is in an order of its own.
fn needed(window: &Range<usize>, total: usize, sorting: Sorting) -> Range<usize> {
    let pages = total
        .min(if sorting.is_default() {
            usize::MAX
        } else {
            SORTED_AT_MOST
        })
        .div_ceil(PAGE)
        .max(1);
    if sorting.is_default() {
        let first = (window.start / PAGE).min(pages - 1);
        first..window.end.div_ceil(PAGE).clamp(first + 1, pages.max(first + 1))
    } else {
        0..pages
    }
}

/// The feed of a table.
#[derive(Clone, Copy)]
pub struct Feed {
    /// The rows.
    pub rows: RwSignal<Rows>,
    /// For the panel: waiting, failed, stale.
    pub load: RwSignal<Load<()>>,
    window: RwSignal<Range<usize>>,
    again: RwSignal<u32>,
    pending: StoredValue<std::collections::BTreeSet<usize>>,
}

impl Feed {
    /// A feed that follows the filter.
    pub fn follow(query: Memo<RunQuery>, sorting: Memo<Sorting>) -> Self {
        let feed = Self {
            rows: RwSignal::new(Rows::default()),
            load: RwSignal::new(Load::default()),
            window: RwSignal::new(0..1),
            again: RwSignal::new(0),
            pending: StoredValue::new(Default::default()),
        };
        let (client, organization) = (use_client(), use_organization());
        let abort = StoredValue::new_local(None::<AbortController>);
        Effect::new(move |_| {
            organization.track();
            let query = query.get();
            if !client.is_ready() {
                return;
            }
            feed.restart(abort);
            feed.fetch(&client, &query, abort, 0);
            on_cleanup(move || feed.stop(abort));
        });
        let client = use_client();
        Effect::new(move |_| {
            let sorting = sorting.get();
            let _ = feed.rows.try_update(|rows| rows.order(sorting, now_ms()));
        });
        Effect::new(move |before: Option<u32>| {
            let again = feed.again.get();
            let (window, sorting) = (feed.window.get(), sorting.get());
            let total = feed.rows.with(|rows| rows.total);
            let pages: Vec<usize> = match before {
                Some(before) if before != again => needed(&window, total, sorting).collect(),
                _ => feed.rows.with_untracked(|rows| rows.missing(&window, sorting)),
            };
            for page in pages {
                feed.fetch(&client, &query.get_untracked(), abort, page);
            }
            again
        });
        let reorder = move || {
            let sorting = sorting.get_untracked();
            if !sorting.is_default() {
                let _ = feed.rows.try_update(|rows| rows.order(sorting, now_ms()));
            }
        };
        Effect::new(move |_| {
            feed.load.track();
            reorder();
        });
        feed.keep_fresh();
        feed
    }

    /// Says which rows are in sight.
    pub fn look(self, window: Range<usize>) {
        self.window.set(window);
    }

    /// Fetches the rows in sight again.
    pub fn reload(self) {
        let _ = self.again.try_update(|count| *count = count.wrapping_add(1));
    }

    fn stop(self, abort: StoredValue<Option<AbortController>, LocalStorage>) {
        let running = abort.try_update_value(Option::take).flatten();
        if let Some(running) = running {
            running.abort();
        }
    }

    /// Another filter: what was asked for is of no use any more. The old rows stay until the new ones come.
    fn restart(self, abort: StoredValue<Option<AbortController>, LocalStorage>) {
        self.stop(abort);
        let _ = self.pending.try_update_value(std::collections::BTreeSet::clear);
        let _ = abort.try_update_value(|slot| *slot = AbortController::new().ok());
        self.load.update(|load| load.busy = true);
        self.window.set(0..1);
    }

    fn fetch(
        self,
        client: &Client,
        query: &RunQuery,
        abort: StoredValue<Option<AbortController>, LocalStorage>,
        page: usize,
    ) {
        let fresh = self
            .pending
            .try_update_value(|pending| pending.insert(page))
            .unwrap_or(false);
        let signal = abort
            .try_with_value(|abort| abort.as_ref().map(AbortController::signal))
            .flatten();
        let (true, Some(signal)) = (fresh, signal) else {
            return;
        };
        let query = RunQuery {
            limit: PAGE as u32,
            offset: (page * PAGE) as u64,
            ..query.clone()
        };
        let client = client.until(signal.clone());
        spawn_local(async move {
            let answer = endpoints::runs(&client, &query).await;
            if signal.aborted() {
                return;
            }
            let _ = self.pending.try_update_value(|pending| pending.remove(&page));
            match answer {
                Ok(list) => {
                    let first = self.load.try_with_untracked(|load| load.busy).unwrap_or(false);
                    let _ = self.rows.try_update(|rows| {
                        if first && page == 0 {
                            rows.pages.clear();
                        }
                        rows.put(page, list);
                    });
                    let _ = self.load.try_set(Load::ready((), now_ms()));
                }
                Err(fault) => {
                    let _ = self.load.try_update(|load| load.fail(fault));
                }
            }
        });
    }

    fn keep_fresh(self) {
        let moving = Memo::new(move |_| self.rows.with(Rows::is_moving));
        Effect::new(move || {
            let tick = move || {
                if !document().hidden() {
                    self.reload();
                }
            };
            let timer = SendWrapper::new(Interval::new(if moving.get() { FAST } else { SLOW }, tick));
            on_cleanup(move || drop(timer));
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_under_the_window_are_needed() {
        let newest = Sorting::default();
        assert_eq!(needed(&(0..30), 1000, newest), 0..1);
        assert_eq!(needed(&(90..130), 1000, newest), 0..2);
        assert_eq!(needed(&(990..1000), 1000, newest), 9..10);
        assert_eq!(needed(&(0..1), 0, newest), 0..1);
        assert_eq!(needed(&(500..530), 20, newest), 0..1);
    }

    #[test]
    fn another_order_needs_all_rows_up_to_a_limit() {
        let by_time = Sorting::parse("took");
        assert_eq!(needed(&(0..30), 450, by_time), 0..5);
        assert_eq!(needed(&(0..30), 1_000_000, by_time), 0..SORTED_AT_MOST / PAGE);
    }

    #[test]
    fn pages_far_away_are_forgotten() {
        let mut rows = Rows::default();
        let list = || RunList {
            runs: vec![],
            total: 100_000,
            counts: BTreeMap::new(),
        };
        for page in 0..100 {
            rows.put(page, list());
        }
        assert!(rows.pages.keys().copied().eq(100 - KEPT..100));
        rows.put(10, list());
        assert!(rows.pages.contains_key(&10) && !rows.pages.contains_key(&99));
    }

    #[test]
    fn rows_are_found_by_place() {
        let mut rows = Rows::default();
        assert!(rows.row(0).is_none());
        rows.put(
            0,
            RunList {
                runs: vec![],
                total: 250,
                counts: BTreeMap::from([(RunStatus::Running, 1)]),
            },
        );
        assert!(rows.is_moving());
        assert_eq!(rows.missing(&(90..120), Sorting::default()), [1]);
        rows.put(
            0,
            RunList {
                runs: vec![],
                total: 0,
                counts: BTreeMap::new(),
            },
        );
        assert!(!rows.is_moving());
    }
}
