//! Where the lines of the log come from: pages that are fetched and lines that arrive, and what is in sight.

use leptos::{html, prelude::*, task::spawn_local};
use types::LogLine;

use super::super::{
    use_store,
    window::{Wanted, Window},
};
use crate::{
    api::{
        client::{Client, use_client},
        endpoints::{self, LogQuery},
    },
    components::{
        panel::{Fault, Load},
        time::now_ms,
    },
    live::store::RunStore,
    url::use_param,
};

/// Height of a line, in CSS pixels; the stylesheet says the same.
pub const LINE: f64 = 20.0;
/// Lines of a page.
const PAGE: u32 = 1000;
/// How near to an end of the memory the next page is asked for, in lines.
const NEAR: usize = 100;

/// Which lines to fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// The last ones.
    Tail,
    /// The first ones.
    Head,
    /// Those around this one.
    Around(i64),
    /// Those before this one.
    Earlier(i64),
    /// Those after this one.
    Later(i64),
}

/// What the parts of the console share.
#[derive(Clone, Copy)]
pub struct Desk {
    store: RunStore,
    /// What is in memory.
    pub window: RwSignal<Window>,
    /// How the fetching is.
    pub load: RwSignal<Load<()>>,
    /// Which lines are wanted.
    pub wanted: Memo<Wanted>,
    /// The line that the address names.
    pub at: Memo<Option<i64>>,
    /// Stays at the last line.
    pub follow: RwSignal<bool>,
    taken: StoredValue<i64>,
    round: StoredValue<u32>,
    client: StoredValue<Client>,
    /// The element that scrolls.
    pub node: NodeRef<html::Div>,
    /// Where it is scrolled to.
    pub scroll: RwSignal<f64>,
    /// How high it is.
    pub height: RwSignal<f64>,
}

impl Desk {
    /// Opens the log at its end, or at the line that the address names.
    pub fn open() -> Self {
        let (find, level, at) = (use_param("find"), use_param("level"), use_param("line"));
        let wanted = Memo::new(move |_| Wanted {
            level: level.get().parse().ok(),
            text: find.get(),
        });
        let at = Memo::new(move |_| at.get().parse::<i64>().ok());
        let follow = RwSignal::new(at.with_untracked(Option::is_none));
        let desk = Self {
            store: use_store(),
            window: RwSignal::new(Window::default()),
            load: RwSignal::new(Load::default()),
            wanted,
            at,
            follow,
            taken: StoredValue::new(i64::MIN),
            round: StoredValue::new(0),
            client: StoredValue::new(use_client()),
            node: NodeRef::new(),
            scroll: RwSignal::new(0.0),
            height: RwSignal::new(340.0),
        };
        Effect::new(move || {
            wanted.track();
            desk.ask(at.get().map_or(Ask::Tail, Ask::Around), true);
        });
        Effect::new(move || {
            let first = desk.taken.get_value().saturating_add(1);
            let new = desk.store.lines(|state| {
                state
                    .lines
                    .range(first..)
                    .map(|(_, line)| line.clone())
                    .collect::<Vec<_>>()
            });
            desk.take_live(&new);
        });
        desk
    }

    /// Fetches again.
    pub fn reload(self) {
        self.ask(self.at.get_untracked().map_or(Ask::Tail, Ask::Around), true);
    }

    fn query(self) -> LogQuery {
        let wanted = self.wanted.get_untracked();
        LogQuery {
            level: wanted.level.map(|level| level.to_string()).unwrap_or_default(),
            search: wanted.text,
            limit: PAGE,
            ..LogQuery::default()
        }
    }

    /// Fetches lines; an answer that is no longer wanted is dropped.
    pub fn ask(self, ask: Ask, fresh: bool) {
        let busy = self.load.with_untracked(|load| load.busy && load.value.is_some());
        if busy && !fresh {
            return;
        }
        let round = self
            .round
            .try_update_value(|round| {
                *round += 1;
                *round
            })
            .unwrap_or(0);
        let (client, query) = (self.client.get_value(), self.query());
        self.load.update(|load| load.busy = true);
        spawn_local(async move {
            let answer = fetch(&client, self.store, query, ask).await;
            if self.round.try_get_value() != Some(round) {
                return;
            }
            match answer {
                Ok(pages) => {
                    let _ = self.load.try_set(Load::ready((), now_ms()));
                    self.settle(ask, pages);
                }
                Err(fault) => drop(self.load.try_update(|load| load.fail(fault))),
            }
        });
    }

    fn settle(self, ask: Ask, pages: Pages) {
        let Pages(first, second) = pages;
        match (ask, second) {
            (Ask::Around(seq), Some(after)) => {
                self.show(Window::around(first, after));
                self.reveal(seq);
            }
            (Ask::Head, _) => {
                self.show(Window::head(first));
                self.scroll_to(0.0);
            }
            (Ask::Earlier(_), _) => {
                let added = self
                    .window
                    .try_update(|window| window.earlier(first))
                    .unwrap_or(0);
                self.shift(added as f64 * LINE);
            }
            (Ask::Later(_), _) => {
                let gone = self.window.try_update(|window| window.later(first)).unwrap_or(0);
                self.shift(gone as f64 * -LINE);
                self.mark_taken();
            }
            _ => self.show(Window::tail(first)),
        }
    }

    fn show(self, window: Window) {
        let _ = self.window.try_set(window);
        self.mark_taken();
        // Lines that came while the page was on its way.
        let first = self.taken.try_get_value().unwrap_or(i64::MIN).saturating_add(1);
        let new = untrack(|| {
            self.store.lines(|state| {
                state
                    .lines
                    .range(first..)
                    .map(|(_, line)| line.clone())
                    .collect::<Vec<_>>()
            })
        });
        self.take_live(&new);
        self.keep_following();
    }

    /// Live lines are taken after the last one in memory, or, while the end is elsewhere, only counted from now on.
    fn mark_taken(self) {
        let last = self.window.try_with_untracked(|window| {
            let back = window
                .len()
                .checked_sub(1)
                .and_then(|index| window.line(index))
                .map(|line| line.seq);
            window.at_end().then_some(back.unwrap_or(i64::MIN))
        });
        let newest = untrack(|| self.store.lines(|state| state.lines.keys().next_back().copied()));
        let taken = last.flatten().or(newest).unwrap_or(i64::MIN);
        let _ = self.taken.try_set_value(taken);
    }

    fn take_live(self, new: &[LogLine]) {
        let ready = self
            .load
            .try_with_untracked(|load| load.value.is_some())
            .unwrap_or(false);
        let Some(last) = new.last().filter(|_| ready) else {
            return;
        };
        let _ = self.taken.try_set_value(last.seq);
        let wanted = self.wanted.get_untracked();
        let gone = self
            .window
            .try_update(|window| window.live(new.iter(), &wanted))
            .unwrap_or(0);
        if self.follow.get_untracked() {
            self.keep_following();
        } else {
            self.shift(gone as f64 * -LINE);
        }
    }

    fn keep_following(self) {
        if self.follow.get_untracked() {
            self.scroll_to(f64::MAX);
        }
    }

    fn scroll_to(self, top: f64) {
        request_animation_frame(move || {
            if let Some(node) = self.node.try_get_untracked().flatten() {
                node.set_scroll_top(if top >= f64::from(i32::MAX) {
                    node.scroll_height()
                } else {
                    top as i32
                });
            }
        });
    }

    /// Keeps the lines in sight in their place when lines were added or let go above them.
    fn shift(self, by: f64) {
        if by != 0.0 {
            let to = self.scroll.get_untracked() + by;
            self.scroll_to(to.max(0.0));
        }
    }

    fn reveal(self, seq: i64) {
        let place = self.window.with_untracked(|window| window.place(seq));
        if let Some(place) = place {
            self.scroll_to((place as f64 * LINE - self.height.get_untracked() / 2.0).max(0.0));
        }
    }

    /// Notes where it is scrolled to, and asks for more near an end.
    pub fn scrolled(self, top: f64, height: f64, full: f64) {
        let before = self.scroll.get_untracked();
        self.scroll.set(top);
        self.height.set(height);
        let bottom = top + height >= full - LINE;
        if top < before - 1.0 && !bottom {
            self.follow.set(false);
        }
        let first = (top / LINE) as usize;
        let last = ((top + height) / LINE) as usize;
        let (earlier, later, len) = self
            .window
            .with_untracked(|window| (window.before(), window.after(), window.len()));
        match (earlier, later) {
            (Some(seq), _) if first < NEAR => self.ask(Ask::Earlier(seq), false),
            (_, Some(seq)) if last + NEAR > len => self.ask(Ask::Later(seq), false),
            _ => {}
        }
    }

    /// Follows the last line, or stops.
    pub fn set_follow(self, on: bool) {
        self.follow.set(on);
        if on {
            match self.window.with_untracked(Window::at_end) {
                true => self.keep_following(),
                false => self.ask(Ask::Tail, true),
            }
        }
    }
}

/// One page, or two around a line.
struct Pages(types::LogPage, Option<types::LogPage>);

async fn fetch(client: &Client, store: RunStore, query: LogQuery, ask: Ask) -> Result<Pages, Fault> {
    let page = async |change: LogQuery| endpoints::logs(client, store.id, &change).await;
    let one = match ask {
        Ask::Tail => page(LogQuery { tail: true, ..query }).await?,
        Ask::Head => page(query).await?,
        Ask::Earlier(seq) => {
            page(LogQuery {
                before: seq.to_string(),
                ..query
            })
            .await?
        }
        Ask::Later(seq) => {
            page(LogQuery {
                cursor: seq.to_string(),
                ..query
            })
            .await?
        }
        Ask::Around(seq) => {
            let before = page(LogQuery {
                before: (seq + 1).to_string(),
                limit: PAGE / 2,
                ..query.clone()
            })
            .await?;
            let after = page(LogQuery {
                cursor: seq.to_string(),
                limit: PAGE / 2,
                ..query
            })
            .await?;
            return Ok(Pages(before, Some(after)));
        }
    };
    Ok(Pages(one, None))
}
