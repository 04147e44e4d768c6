//! Lists whose items come and go for as long as a page is open.

use std::{
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
};

use leptos::{
    prelude::*,
    tachys::{reactive_graph::OwnedView, view::keyed::keyed},
};

/// The owners of items that have gone, for items to come: an owner that is made anew each time stays noted in the one
/// above it, which lives as long as the list.
#[derive(Clone)]
struct Owners {
    above: Owner,
    free: Arc<Mutex<Vec<Owner>>>,
}

/// An owner while an item has it.
struct Held {
    owner: Owner,
    free: Arc<Mutex<Vec<Owner>>>,
}

impl Owners {
    fn take(&self) -> Held {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Held {
            owner: free.unwrap_or_else(|| self.above.child()),
            free: Arc::clone(&self.free),
        }
    }
}

impl Held {
    /// Does nothing: who calls it has it.
    const fn keep(&self) {}
}

impl Drop for Held {
    fn drop(&mut self) {
        self.owner.cleanup();
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        free.push(self.owner.clone());
    }
}

/// One view for each item, built once per key, like `For`; but a list through which thousands of items have passed is
/// as large as one that has just been made.
#[component]
pub fn Rows<T, K, N>(
    /// The items.
    each: impl Fn() -> Vec<T> + Send + 'static,
    /// What tells an item apart: its view is built anew when it changes.
    key: impl Fn(&T) -> K + Clone + Send + 'static,
    /// The view of an item; what it reads itself, outside closures, is read once.
    children: impl Fn(T) -> N + Clone + Send + 'static,
) -> impl IntoView
where
    T: Send + 'static,
    K: Eq + Hash + 'static,
    N: IntoView + 'static,
{
    let owners = Owners {
        above: Owner::new(),
        free: Arc::default(),
    };
    let item = move |_, item| {
        let held = owners.take();
        let owner = held.owner.clone();
        let view = owner.with(|| untrack(|| children(item)));
        // The list keeps this closure exactly as long as the view.
        (move |_| held.keep(), OwnedView::new_with_owner(view, owner))
    };
    move || keyed(each(), key.clone(), item.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_used_again_once_its_item_has_gone() {
        let above = Owner::new();
        let owners = Owners {
            above: above.clone(),
            free: Arc::default(),
        };
        let first = owners.take();
        let gone = Arc::new(());
        let kept = Arc::clone(&gone);
        first.owner.with(|| on_cleanup(move || drop(kept)));
        let (of_first, second) = (first.owner.debug_id(), owners.take());
        assert_ne!(of_first, second.owner.debug_id());
        drop(first);
        assert_eq!(Arc::strong_count(&gone), 1);
        assert_eq!(owners.take().owner.debug_id(), of_first);
    }
}
