//! What a chart is drawn on, and the plotters backend over it.
//!
//! plotters counts in whole units; here a unit is a sixteenth of a CSS pixel, so that lines have no steps.

use std::convert::Infallible;

use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind,
};

/// Units per CSS pixel.
pub const UNIT: f64 = 16.0;

/// A colour with its opacity.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Colour {
    /// Red, green, blue.
    pub rgb: (u8, u8, u8),
    /// 0 to 1.
    pub alpha: f64,
}

impl Colour {
    /// Reads what `getComputedStyle` answers: `rgb(36, 86, 196)`, `rgba(36, 86, 196, 0.5)`, `color(srgb 0.1 0.2 0.3)`
    /// or `#2456c4`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(hex) = text.strip_prefix('#') {
            let value = u32::from_str_radix(hex, 16).ok().filter(|_| hex.len() == 6)?;
            return Some(Self {
                rgb: ((value >> 16) as u8, (value >> 8) as u8, value as u8),
                alpha: 1.0,
            });
        }
        let (kind, inside) = text.strip_suffix(')')?.split_once('(')?;
        let unit = if kind == "color" { 255.0 } else { 1.0 };
        let numbers: Vec<f64> = inside
            .split([',', ' ', '/'])
            .filter_map(|part| part.trim().parse().ok())
            .collect();
        let byte = |value: f64| (value * unit).round().clamp(0.0, 255.0) as u8;
        match numbers[..] {
            [r, g, b] => Some(Self {
                rgb: (byte(r), byte(g), byte(b)),
                alpha: 1.0,
            }),
            [r, g, b, alpha] => Some(Self {
                rgb: (byte(r), byte(g), byte(b)),
                alpha,
            }),
            _ => None,
        }
    }

    /// The same with another opacity.
    #[must_use]
    pub fn with_alpha(self, alpha: f64) -> Self {
        Self { alpha, ..self }
    }

    /// As CSS.
    pub fn css(self) -> String {
        let (r, g, b) = self.rgb;
        format!("rgba({r}, {g}, {b}, {})", self.alpha)
    }
}

impl From<BackendColor> for Colour {
    fn from(color: BackendColor) -> Self {
        Self {
            rgb: color.rgb,
            alpha: color.alpha,
        }
    }
}

/// Where a text stands in relation to its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Anchor {
    /// `left`, `center` or `right`, as the canvas names it.
    pub across: &'static str,
    /// `top`, `middle` or `bottom`.
    pub down: &'static str,
}

/// Something to draw on, in CSS pixels.
pub trait Surface {
    /// A line through the points.
    fn stroke(&mut self, points: &[(f64, f64)], colour: Colour, width: f64);
    /// A filled polygon.
    fn fill(&mut self, points: &[(f64, f64)], colour: Colour);
    /// A circle: filled, or a ring of the given width.
    fn circle(&mut self, center: (f64, f64), radius: f64, colour: Colour, ring: Option<f64>);
    /// A text.
    fn text(&mut self, text: &str, at: (f64, f64), size: f64, colour: Colour, anchor: Anchor);
    /// The width of a text.
    fn text_width(&self, text: &str, size: f64) -> f64;
}

/// The plotters backend over a surface.
pub struct Backend<'a, S> {
    surface: &'a mut S,
    size: (u32, u32),
}

impl<'a, S: Surface> Backend<'a, S> {
    /// A backend of this size in CSS pixels.
    pub fn new(surface: &'a mut S, width: f64, height: f64) -> Self {
        Self {
            surface,
            size: ((width * UNIT) as u32, (height * UNIT) as u32),
        }
    }
}

type Drawn = Result<(), DrawingErrorKind<Infallible>>;

fn pixels((x, y): BackendCoord) -> (f64, f64) {
    (f64::from(x) / UNIT, f64::from(y) / UNIT)
}

fn width<B: BackendStyle>(style: &B) -> f64 {
    f64::from(style.stroke_width()) / UNIT
}

impl<S: Surface> DrawingBackend for Backend<'_, S> {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        self.size
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        Ok(())
    }

    fn draw_pixel(&mut self, point: BackendCoord, color: BackendColor) -> Drawn {
        self.surface.circle(pixels(point), 0.5, color.into(), None);
        Ok(())
    }

    fn draw_line<B: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &B) -> Drawn {
        self.surface
            .stroke(&[pixels(from), pixels(to)], style.color().into(), width(style));
        Ok(())
    }

    fn draw_rect<B: BackendStyle>(
        &mut self,
        a: BackendCoord,
        b: BackendCoord,
        style: &B,
        fill: bool,
    ) -> Drawn {
        let ((left, top), (right, bottom)) = (pixels(a), pixels(b));
        let corners = [
            (left, top),
            (right, top),
            (right, bottom),
            (left, bottom),
            (left, top),
        ];
        if fill {
            self.surface.fill(&corners, style.color().into());
        } else {
            self.surface.stroke(&corners, style.color().into(), width(style));
        }
        Ok(())
    }

    fn draw_path<B: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &B,
    ) -> Drawn {
        let points: Vec<_> = path.into_iter().map(pixels).collect();
        self.surface.stroke(&points, style.color().into(), width(style));
        Ok(())
    }

    fn draw_circle<B: BackendStyle>(
        &mut self,
        center: BackendCoord,
        radius: u32,
        style: &B,
        fill: bool,
    ) -> Drawn {
        let ring = (!fill).then(|| width(style));
        self.surface.circle(
            pixels(center),
            f64::from(radius) / UNIT,
            style.color().into(),
            ring,
        );
        Ok(())
    }

    fn fill_polygon<B: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &B,
    ) -> Drawn {
        let points: Vec<_> = path.into_iter().map(pixels).collect();
        self.surface.fill(&points, style.color().into());
        Ok(())
    }

    fn draw_text<T: BackendTextStyle>(&mut self, text: &str, style: &T, at: BackendCoord) -> Drawn {
        let anchor = style.anchor();
        let across = match anchor.h_pos {
            HPos::Left => "left",
            HPos::Center => "center",
            HPos::Right => "right",
        };
        let down = match anchor.v_pos {
            VPos::Top => "top",
            VPos::Center => "middle",
            VPos::Bottom => "bottom",
        };
        self.surface.text(
            text,
            pixels(at),
            style.size() / UNIT,
            style.color().into(),
            Anchor { across, down },
        );
        Ok(())
    }

    fn estimate_text_size<T: BackendTextStyle>(
        &self,
        text: &str,
        style: &T,
    ) -> Result<(u32, u32), DrawingErrorKind<Infallible>> {
        let across = self.surface.text_width(text, style.size() / UNIT) * UNIT;
        Ok((across.ceil() as u32, style.size().ceil() as u32))
    }
}

#[cfg(test)]
mod tests {
    use super::Colour;

    #[test]
    fn computed_colours_are_read() {
        let rgb = |r, g, b| {
            Some(Colour {
                rgb: (r, g, b),
                alpha: 1.0,
            })
        };
        assert_eq!(Colour::parse("rgb(36, 86, 196)"), rgb(36, 86, 196));
        assert_eq!(Colour::parse(" #8ab0ff "), rgb(138, 176, 255));
        assert_eq!(Colour::parse("color(srgb 1 0 0.5)"), rgb(255, 0, 128));
        assert_eq!(Colour::parse("rgba(1, 2, 3, 0.5)").map(|c| c.alpha), Some(0.5));
        assert_eq!(Colour::parse("light-dark(red, blue)"), None);
        assert_eq!(Colour::parse(""), None);
    }
}
