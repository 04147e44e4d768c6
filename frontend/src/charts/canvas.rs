//! The browser's canvas as a surface, at the resolution of the screen.

use wasm_bindgen::JsCast;
use web_sys::{CanvasRenderingContext2d, CssStyleDeclaration, HtmlCanvasElement};

use super::{
    plot::{Hue, Palette},
    surface::{Anchor, Colour, Surface},
};

/// A canvas that has been sized and cleared.
pub struct Canvas {
    context: CanvasRenderingContext2d,
    family: String,
}

impl Canvas {
    /// Sizes the canvas to CSS pixels times the device's ratio and clears it. `None` when the browser gives no
    /// context.
    pub fn prepare(element: &HtmlCanvasElement, width: f64, height: f64) -> Option<Self> {
        let ratio = web_sys::window()?.device_pixel_ratio().max(1.0);
        element.set_width((width * ratio).round() as u32);
        element.set_height((height * ratio).round() as u32);
        let context: CanvasRenderingContext2d = element.get_context("2d").ok()??.dyn_into().ok()?;
        // Sizing the canvas has reset its state, so the scale is set once per painting.
        context.scale(ratio, ratio).ok()?;
        context.set_line_join("round");
        context.set_line_cap("butt");
        let family = style_of(element).and_then(|style| style.get_property_value("font-family").ok());
        Some(Self {
            context,
            family: family.unwrap_or_else(|| "sans-serif".to_owned()),
        })
    }

    fn path(&self, points: &[(f64, f64)]) {
        self.context.begin_path();
        for (index, &(x, y)) in points.iter().enumerate() {
            if index == 0 {
                self.context.move_to(x, y);
            } else {
                self.context.line_to(x, y);
            }
        }
    }

    fn font(&self, size: f64) -> String {
        format!("{size}px {}", self.family)
    }
}

impl Surface for Canvas {
    fn stroke(&mut self, points: &[(f64, f64)], colour: Colour, width: f64) {
        // A straight hairline is sharp only in the middle of a pixel.
        let straight = match points {
            [a, b] if width <= 1.0 => (a.0 == b.0, a.1 == b.1),
            _ => (false, false),
        };
        match (straight, points) {
            ((true, _), [a, b]) => self.path(&[(a.0.floor() + 0.5, a.1), (b.0.floor() + 0.5, b.1)]),
            ((_, true), [a, b]) => self.path(&[(a.0, a.1.floor() + 0.5), (b.0, b.1.floor() + 0.5)]),
            _ => self.path(points),
        }
        self.context.set_stroke_style_str(&colour.css());
        self.context.set_line_width(width);
        self.context.stroke();
    }

    fn fill(&mut self, points: &[(f64, f64)], colour: Colour) {
        self.path(points);
        self.context.close_path();
        self.context.set_fill_style_str(&colour.css());
        self.context.fill();
    }

    fn circle(&mut self, (x, y): (f64, f64), radius: f64, colour: Colour, ring: Option<f64>) {
        self.context.begin_path();
        // Fails only for a negative radius, and none of ours is.
        let _ = self.context.arc(x, y, radius, 0.0, std::f64::consts::TAU);
        match ring {
            Some(width) => {
                self.context.set_stroke_style_str(&colour.css());
                self.context.set_line_width(width);
                self.context.stroke();
            }
            None => {
                self.context.set_fill_style_str(&colour.css());
                self.context.fill();
            }
        }
    }

    fn text(&mut self, text: &str, (x, y): (f64, f64), size: f64, colour: Colour, anchor: Anchor) {
        self.context.set_font(&self.font(size));
        self.context.set_text_align(anchor.across);
        self.context.set_text_baseline(anchor.down);
        self.context.set_fill_style_str(&colour.css());
        let _ = self.context.fill_text(text, x, y);
    }

    fn text_width(&self, text: &str, size: f64) -> f64 {
        self.context.set_font(&self.font(size));
        self.context
            .measure_text(text)
            .map(|metrics| metrics.width())
            .unwrap_or(0.0)
    }
}

fn style_of(element: &web_sys::Element) -> Option<CssStyleDeclaration> {
    web_sys::window()?.get_computed_style(element).ok()?
}

/// The colours that hold for an element in the current theme.
pub fn palette(element: &web_sys::Element) -> Palette {
    let style = style_of(element);
    let colour = |token: &str| {
        let text = style
            .as_ref()
            .and_then(|style| style.get_property_value(token).ok());
        text.and_then(|text| Colour::parse(&text)).unwrap_or(Colour {
            rgb: (128, 128, 128),
            alpha: 1.0,
        })
    };
    Palette {
        ink: colour("--ink"),
        ink_2: colour("--ink-2"),
        ink_3: colour("--ink-3"),
        bg: colour("--bg"),
        grid: colour("--grid"),
        line_2: colour("--line-2"),
        bad: colour("--bad"),
        series: Hue::ALL.map(|hue| colour(hue.token())),
    }
}
