//! When a painter has to paint again although its values are the same.

use leptos::prelude::*;

/// Counts the changes of theme, and the arrival of the fonts.
#[derive(Debug, Clone, Copy)]
pub struct Repaint(pub RwSignal<u32>);

/// A signal to follow in a painter. Without a provider it never changes.
pub fn use_repaint() -> Signal<u32> {
    use_context::<Repaint>().map_or_else(|| Signal::stored(0), |repaint| repaint.0.into())
}
