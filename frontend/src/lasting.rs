//! What outlives those who read it.
//!
//! The reactive graph notes the readers of a signal as weak references and strikes one off only when it reads again.
//! A reader that goes for good (a row of a list, a part of a page that is turned) stays in the list of whatever it has
//! read: its memory is kept, and every change walks over it. That is nothing where both go together, and it is a leak
//! where the signal lives as long as the page or the address bar.

use leptos::{
    prelude::*,
    reactive::{
        computed::ArcMemo,
        graph::{Observer, Source, ToAnySource},
    },
};

/// Strikes the effect or memo that is reading `source` off its list once it runs again or goes. Belongs into the body
/// of a closure that is read by effects; inside the body of a `For` it would speak of the list itself.
pub fn forget_reader(source: impl ToAnySource) {
    let Some(reader) = Observer::get() else {
        return;
    };
    let source = source.to_any_source();
    on_cleanup(move || source.remove_subscriber(&reader));
}

/// The same value as a signal whose readers are forgotten when they go.
pub fn lasting<T: Clone + Send + Sync + 'static>(source: Memo<T>) -> Signal<T> {
    Signal::derive(move || {
        forget_reader(ArcMemo::from(source));
        source.get()
    })
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    };

    use leptos::reactive::graph::{AnySource, AnySubscriber, ReactiveNode, Subscriber, WithObserver};

    use super::*;

    /// Counts what it is told.
    #[derive(Default)]
    struct Reader(AtomicU32);

    impl ReactiveNode for Reader {
        fn mark_dirty(&self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }

        fn mark_check(&self) {
            self.mark_dirty();
        }

        fn mark_subscribers_check(&self) {}

        fn update_if_necessary(&self) -> bool {
            false
        }
    }

    impl Subscriber for Reader {
        fn add_source(&self, _: AnySource) {}

        fn clear_sources(&self, _: &AnySubscriber) {}
    }

    /// How often a reader is told of a change before and after its row has gone.
    fn told(read: impl FnOnce(RwSignal<u32>) -> Signal<u32>) -> (u32, u32) {
        let page = Owner::new();
        let row = page.with(Owner::new);
        let signal = page.with(|| RwSignal::new(0));
        let lasting = page.with(|| read(signal));
        let reader = Arc::new(Reader::default());
        let weak: std::sync::Weak<dyn Subscriber + Send + Sync> = Arc::<Reader>::downgrade(&reader);
        let any = AnySubscriber(Arc::as_ptr(&reader) as usize, weak);
        row.with(|| any.with_observer(|| lasting.get()));
        signal.set(1);
        let before = reader.0.load(Ordering::Relaxed);
        row.with(|| any.with_observer(|| lasting.get()));
        row.cleanup();
        signal.set(2);
        (before, reader.0.load(Ordering::Relaxed) - before)
    }

    #[test]
    fn a_reader_that_has_gone_is_told_nothing() {
        assert_eq!(told(Signal::from), (1, 1));
        assert_eq!(told(|signal| lasting(Memo::new(move |_| signal.get()))), (1, 0));
        let forgetful = |signal: RwSignal<u32>| {
            Signal::derive(move || {
                forget_reader(signal);
                signal.get()
            })
        };
        assert_eq!(told(forgetful), (1, 0));
    }
}
