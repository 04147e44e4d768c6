//! Icons, drawn by the sprite in `index.html`.

use leptos::prelude::*;

macro_rules! glyphs {
    ($($variant:ident = $name:literal),+ $(,)?) => {
        /// A symbol of the sprite.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[allow(missing_docs, reason = "the names are the documentation")]
        pub enum Glyph { $($variant),+ }

        impl Glyph {
            /// Every symbol.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The id of the symbol, without its prefix.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
}

glyphs! {
    Audio = "audio", Bad = "bad", Bench = "bench", Board = "board", Bolt = "bolt", Brand = "brand", Check = "check",
    Chevron = "chev", Clock = "clock", Columns = "cols", Compare = "compare", Copy = "copy", Down = "down",
    Download = "down2", Fail = "fail", File = "file", Filter = "filter", Fit = "fit", Gear = "gear", Gpu = "gpu",
    Half = "half", Home = "home", Image = "img", Info = "info", Key = "key", Launch = "launch", Left = "left",
    Link = "link", Mark = "mark", Model = "model", More = "more", Ok = "ok", Pin = "pin", Plus = "plus", Redo = "redo",
    Right = "right", Runs = "runs", Search = "search", Share = "share", Slice = "slice", SortDown = "sortd",
    SortUp = "sortu", Spin = "spin", Stall = "stall", Stop = "stop", Sun = "sun", Text = "text", Up = "up",
    User = "user", Video = "video", Warn = "warn", X = "x", ZoomIn = "zoomin",
}

/// An icon; always beside words, or inside a control that has a name.
#[component]
pub fn Icon(
    /// Which symbol.
    #[prop(into)]
    glyph: Signal<Glyph>,
) -> impl IntoView {
    view! {
        <svg class="icon" aria-hidden="true">
            <use href=move || format!("#i-{}", glyph.get().name())></use>
        </svg>
    }
}

/// An icon that stays what it is.
pub fn icon(glyph: Glyph) -> impl IntoView {
    view! {
        <svg class="icon" aria-hidden="true">
            <use href=format!("#i-{}", glyph.name())></use>
        </svg>
    }
}

#[cfg(test)]
mod tests {
    use super::Glyph;

    #[test]
    fn the_sprite_has_every_glyph() {
        let page = include_str!("../../index.html");
        for glyph in Glyph::ALL {
            assert!(page.contains(&format!("id=\"i-{}\"", glyph.name())), "{glyph:?}");
        }
        assert_eq!(page.matches("<symbol ").count(), Glyph::ALL.len());
    }
}
