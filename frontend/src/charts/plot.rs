//! From values to marks: the one place that draws a line chart, by plotters, on any surface.

mod draw;

pub use draw::{draw, measure};

use super::surface::Colour;
use crate::format::Zone;

/// The colour of a series, in the order that survives colour blindness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "the names are those of the tokens")]
pub enum Hue {
    #[default]
    D1,
    D2,
    D3,
    D4,
    D5,
    D6,
}

impl Hue {
    /// All of them, in order.
    pub const ALL: [Self; 6] = [Self::D1, Self::D2, Self::D3, Self::D4, Self::D5, Self::D6];

    /// The custom property that holds the colour.
    pub fn token(self) -> &'static str {
        ["--d1", "--d2", "--d3", "--d4", "--d5", "--d6"][self as usize]
    }
}

/// The colours of the current theme.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[allow(missing_docs, reason = "the names are those of the tokens")]
pub struct Palette {
    pub ink: Colour,
    pub ink_2: Colour,
    pub ink_3: Colour,
    pub bg: Colour,
    pub grid: Colour,
    pub line_2: Colour,
    pub bad: Colour,
    pub series: [Colour; 6],
}

/// One line of a chart.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Series {
    /// Its name, written at its end where there are several.
    pub name: String,
    /// Its colour.
    pub hue: Hue,
    /// The points in order of x. A value that is not finite interrupts the line.
    pub points: Vec<(f64, f64)>,
    /// A ribbon around it: x, lower, upper.
    pub band: Vec<(f64, f64, f64)>,
    /// Draws the points as rings, the latest filled: for measured points, not for streams.
    pub rings: bool,
}

/// What a vertical line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MarkKind {
    /// A step: dotted.
    #[default]
    Step,
    /// A failure: red.
    Failure,
}

/// A vertical line with words.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Mark {
    /// Where.
    pub x: f64,
    /// The words above it.
    pub words: String,
    /// What it says.
    pub kind: MarkKind,
}

/// How x is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Across {
    /// Milliseconds since the epoch, in the viewer's zone.
    Time(Zone),
    /// A number.
    Number,
}

/// Everything about a line chart but its size and colours.
#[derive(Debug, Clone, PartialEq)]
pub struct Plot {
    /// How x is read.
    pub across: Across,
    /// The lines.
    pub series: Vec<Series>,
    /// Vertical lines.
    pub marks: Vec<Mark>,
    /// Dashed horizontal references with words.
    pub references: Vec<(f64, String)>,
    /// The y axis begins at zero: for counts, rates and shares.
    pub from_zero: bool,
    /// The y axis ends here at least: 100 for a percentage.
    pub at_least: Option<f64>,
}

impl Default for Plot {
    fn default() -> Self {
        Self {
            across: Across::Number,
            series: Vec::new(),
            marks: Vec::new(),
            references: Vec::new(),
            from_zero: true,
            at_least: None,
        }
    }
}

impl Plot {
    /// The range of x, and of y with room above. `None` without a finite point.
    pub fn ranges(&self) -> Option<((f64, f64), (f64, f64))> {
        let points = self
            .series
            .iter()
            .flat_map(|series| series.points.iter().copied());
        let bands = self
            .series
            .iter()
            .flat_map(|series| series.band.iter().flat_map(|b| [(b.0, b.1), (b.0, b.2)]));
        let mut x = (f64::INFINITY, f64::NEG_INFINITY);
        let mut y = x;
        for point in points
            .chain(bands)
            .filter(|point| point.0.is_finite() && point.1.is_finite())
        {
            x = (x.0.min(point.0), x.1.max(point.0));
            y = (y.0.min(point.1), y.1.max(point.1));
        }
        if x.0 > x.1 {
            return None;
        }
        Some((self.x_range(x), self.y_range(y)))
    }

    fn x_range(&self, (from, to): (f64, f64)) -> (f64, f64) {
        if to > from {
            return (from, to);
        }
        match self.across {
            Across::Time(_) => (from - 30_000.0, to + 30_000.0),
            Across::Number => (from - 0.5, to + 0.5),
        }
    }

    fn y_range(&self, (from, to): (f64, f64)) -> (f64, f64) {
        let top = self
            .references
            .iter()
            .map(|reference| reference.0)
            .chain(self.at_least)
            .fold(to, f64::max);
        let low = if self.from_zero { from.min(0.0) } else { from };
        let span = if top > low { top - low } else { top.abs().max(1.0) };
        let below = if self.from_zero && low >= 0.0 {
            0.0
        } else {
            span * 0.06
        };
        (low - below, top.max(low) + span * 0.06)
    }
}

/// Where the plotting area lies, to find the value under a pointer and the place of a value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frame {
    /// Left edge, CSS pixels.
    pub left: f64,
    /// Right edge.
    pub right: f64,
    /// Top edge.
    pub top: f64,
    /// Bottom edge.
    pub bottom: f64,
    /// The range of x.
    pub x: (f64, f64),
    /// The range of y.
    pub y: (f64, f64),
}

impl Frame {
    /// The frame of a plot of this size. `label` is the width that the widest y label needs.
    pub fn new(plot: &Plot, width: f64, height: f64, label: f64, ending: f64) -> Option<Self> {
        let (x, y) = plot.ranges()?;
        let top = if plot.marks.iter().any(|mark| !mark.words.is_empty()) {
            22.0
        } else {
            10.0
        };
        let right = (width - 8.0 - ending).max(label + 24.0);
        Some(Self {
            left: label + 8.0,
            right,
            top,
            bottom: height - 24.0,
            x,
            y,
        })
    }

    /// Where an x lies, in pixels.
    pub fn across(&self, x: f64) -> f64 {
        self.left + (x - self.x.0) / (self.x.1 - self.x.0) * (self.right - self.left)
    }

    /// Where a y lies, in pixels.
    pub fn down(&self, y: f64) -> f64 {
        self.bottom - (y - self.y.0) / (self.y.1 - self.y.0) * (self.bottom - self.top)
    }

    /// The x under a pixel.
    pub fn x_at(&self, pixel: f64) -> f64 {
        self.x.0 + (pixel - self.left) / (self.right - self.left) * (self.x.1 - self.x.0)
    }
}

#[cfg(test)]
mod tests;
