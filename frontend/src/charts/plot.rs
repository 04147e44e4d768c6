//! From values to marks: the one place that draws a line chart, by plotters, on any surface.

use plotters::{
    coord::{Shift, types::RangedCoordf64},
    element::DashedPathElement,
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};

use plotters_backend::BackendColor;

use super::{
    decimate::decimate,
    surface::{Backend, Colour, Surface, UNIT},
    ticks::{number_label, number_step, number_ticks, time_ticks},
};
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

/// The size of ticks and labels.
const SIZE: f64 = 11.0;

fn unit(pixels: f64) -> i32 {
    (pixels * UNIT).round() as i32
}

fn style(colour: Colour, width: f64) -> ShapeStyle {
    let (r, g, b) = colour.rgb;
    ShapeStyle {
        color: RGBAColor(r, g, b, colour.alpha),
        filled: false,
        stroke_width: unit(width) as u32,
    }
}

fn words(colour: Colour, across: HPos, down: VPos) -> TextStyle<'static> {
    let (r, g, b) = colour.rgb;
    let font = FontDesc::new(FontFamily::SansSerif, SIZE * UNIT, FontStyle::Normal);
    let color = BackendColor {
        alpha: colour.alpha,
        rgb: (r, g, b),
    };
    TextStyle {
        font,
        color,
        pos: Pos::new(across, down),
    }
}

type Area<'a, S> = DrawingArea<Backend<'a, S>, Shift>;
type Failed = DrawingAreaErrorKind<std::convert::Infallible>;

/// Draws the chart and says where its frame is; `None` when there is nothing to draw.
pub fn draw<S: Surface>(
    plot: &Plot,
    surface: &mut S,
    width: f64,
    height: f64,
    palette: &Palette,
) -> Option<Frame> {
    let frame = measure(plot, surface, width, height)?;
    let area = Backend::new(surface, width, height).into_drawing_area();
    // The surface cannot fail, and a mark outside the area is cut off: what is drawn stays drawn.
    let _ = draw_axes(plot, &area, &frame, palette);
    let _ = draw_marks(plot, &area, &frame, palette);
    let _ = draw_series(plot, &area, &frame, palette);
    Some(frame)
}

/// The frame of a plot on this surface.
pub fn measure<S: Surface>(plot: &Plot, surface: &S, width: f64, height: f64) -> Option<Frame> {
    let (_, y) = plot.ranges()?;
    let step = number_step(y.1 - y.0, y_ticks(height));
    let ticks = number_ticks(y.0, y.1, y_ticks(height));
    let label = ticks
        .iter()
        .map(|&tick| surface.text_width(&number_label(tick, step), SIZE))
        .fold(0.0, f64::max);
    let named = plot.series.len() > 1;
    let names = plot
        .series
        .iter()
        .map(|series| surface.text_width(&series.name, SIZE) + 8.0);
    let ending = if named {
        names.fold(0.0, f64::max).min(width * 0.3)
    } else {
        0.0
    };
    Frame::new(plot, width, height, label, ending)
}

fn y_ticks(height: f64) -> usize {
    if height < 100.0 { 2 } else { 4 }
}

fn draw_axes<S: Surface>(
    plot: &Plot,
    area: &Area<'_, S>,
    frame: &Frame,
    palette: &Palette,
) -> Result<(), Failed> {
    let height = frame.bottom + 24.0;
    let step = number_step(frame.y.1 - frame.y.0, y_ticks(height));
    let (left, right) = (unit(frame.left), unit(frame.right));
    for tick in number_ticks(frame.y.0, frame.y.1, y_ticks(height)) {
        let y = unit(frame.down(tick));
        area.draw(&PathElement::new(
            vec![(left, y), (right, y)],
            style(palette.grid, 1.0),
        ))?;
        let label = number_label(tick, step);
        area.draw(&Text::new(
            label,
            (left - unit(6.0), y),
            words(palette.ink_3, HPos::Right, VPos::Center),
        ))?;
    }
    let bottom = unit(frame.bottom);
    area.draw(&PathElement::new(
        vec![(left, bottom), (right, bottom)],
        style(palette.line_2, 1.0),
    ))?;
    let most = ((frame.right - frame.left) / 72.0).floor().clamp(1.0, 6.0) as usize;
    for (tick, label) in x_ticks(plot, frame, most) {
        let x = unit(frame.across(tick));
        area.draw(&PathElement::new(
            vec![(x, bottom), (x, bottom + unit(4.0))],
            style(palette.line_2, 1.0),
        ))?;
        area.draw(&Text::new(
            label,
            (x, bottom + unit(7.0)),
            words(palette.ink_3, HPos::Center, VPos::Top),
        ))?;
    }
    Ok(())
}

fn x_ticks(plot: &Plot, frame: &Frame, most: usize) -> Vec<(f64, String)> {
    let (from, to) = frame.x;
    match plot.across {
        Across::Time(zone) => time_ticks(from, to, most, zone),
        Across::Number => {
            let step = number_step(to - from, most);
            number_ticks(from, to, most)
                .into_iter()
                .map(|tick| (tick, number_label(tick, step)))
                .collect()
        }
    }
}

fn draw_marks<S: Surface>(
    plot: &Plot,
    area: &Area<'_, S>,
    frame: &Frame,
    palette: &Palette,
) -> Result<(), Failed> {
    let (top, bottom) = (frame.top, frame.bottom);
    let mut free = f64::NEG_INFINITY;
    for mark in plot
        .marks
        .iter()
        .filter(|mark| mark.x >= frame.x.0 && mark.x <= frame.x.1)
    {
        let x = frame.across(mark.x);
        let (colour, width) = match mark.kind {
            MarkKind::Step => (palette.ink_2.with_alpha(0.6), 1.0),
            MarkKind::Failure => (palette.bad, 1.5),
        };
        let line = vec![(unit(x), unit(top)), (unit(x), unit(bottom))];
        match mark.kind {
            MarkKind::Step => area.draw(&dashed(&line, style(colour, width), 2.0, 3.0))?,
            MarkKind::Failure => area.draw(&PathElement::new(line, style(colour, width)))?,
        }
        // Words that would run into those of the mark before are left out; the hover says them.
        let needed = area
            .estimate_text_size(&mark.words, &words(colour, HPos::Left, VPos::Bottom))?
            .0;
        if x > free && x + f64::from(needed) / UNIT <= frame.right {
            area.draw(&Text::new(
                mark.words.clone(),
                (unit(x + 4.0), unit(top - 3.0)),
                words(colour.with_alpha(1.0), HPos::Left, VPos::Bottom),
            ))?;
            free = x + f64::from(needed) / UNIT + 8.0;
        }
    }
    for (y, name) in &plot.references {
        let down = unit(frame.down(*y));
        let line = vec![(unit(frame.left), down), (unit(frame.right), down)];
        area.draw(&dashed(&line, style(palette.ink_3, 1.0), 3.0, 3.0))?;
        let at = (unit(frame.right), down - unit(3.0));
        area.draw(&Text::new(
            name.clone(),
            at,
            words(palette.ink_2, HPos::Right, VPos::Bottom),
        ))?;
    }
    Ok(())
}

fn dashed(
    line: &[(i32, i32)],
    style: ShapeStyle,
    dash: f64,
    gap: f64,
) -> DashedPathElement<std::vec::IntoIter<(i32, i32)>, u32> {
    DashedPathElement::new(line.to_vec(), unit(dash) as u32, unit(gap) as u32, style)
}

fn draw_series<S: Surface>(
    plot: &Plot,
    area: &Area<'_, S>,
    frame: &Frame,
    palette: &Palette,
) -> Result<(), Failed> {
    let inner = area.apply_coord_spec(Cartesian2d::<RangedCoordf64, RangedCoordf64>::new(
        frame.x.0..frame.x.1,
        frame.y.0..frame.y.1,
        (
            unit(frame.left)..unit(frame.right),
            unit(frame.bottom)..unit(frame.top),
        ),
    ));
    let columns = (frame.right - frame.left).max(1.0) as usize;
    let mut taken: Vec<f64> = Vec::new();
    for series in &plot.series {
        let colour = palette.series[series.hue as usize];
        let band = ribbon(&series.band);
        if !band.is_empty() {
            inner.draw(&Polygon::new(band, fill(colour.with_alpha(0.14))))?;
        }
        for piece in series.points.split(|point| !point.1.is_finite()) {
            let few = decimate(piece, frame.x.0, frame.x.1, columns);
            inner.draw(&PathElement::new(few, style(colour, 1.5)))?;
        }
        draw_rings(series, colour, palette, &inner)?;
        if let Some(last) = series.points.iter().rfind(|point| point.1.is_finite()) {
            inner.draw(&Circle::new(*last, unit(3.0), fill(colour)))?;
            if plot.series.len() > 1 {
                let down = free_place(frame.down(last.1), &mut taken);
                let at = (unit(frame.across(last.0) + 8.0), unit(down));
                area.draw(&Text::new(
                    series.name.clone(),
                    at,
                    words(palette.ink, HPos::Left, VPos::Center),
                ))?;
            }
        }
    }
    Ok(())
}

/// A place for a name near `wanted` that leaves 12 px to the names that are there.
fn free_place(wanted: f64, taken: &mut Vec<f64>) -> f64 {
    let mut down = wanted;
    while taken.iter().any(|other| (other - down).abs() < 12.0) {
        down += 2.0;
    }
    taken.push(down);
    down
}

fn ribbon(band: &[(f64, f64, f64)]) -> Vec<(f64, f64)> {
    let upper = band.iter().map(|&(x, _, upper)| (x, upper));
    let lower = band.iter().rev().map(|&(x, lower, _)| (x, lower));
    upper.chain(lower).collect()
}

fn fill(colour: Colour) -> ShapeStyle {
    ShapeStyle {
        filled: true,
        ..style(colour, 1.0)
    }
}

fn draw_rings<S: Surface>(
    series: &Series,
    colour: Colour,
    palette: &Palette,
    inner: &DrawingArea<Backend<'_, S>, Cartesian2d<RangedCoordf64, RangedCoordf64>>,
) -> Result<(), Failed> {
    if !series.rings {
        return Ok(());
    }
    for point in series.points.iter().filter(|point| point.1.is_finite()) {
        inner.draw(&Circle::new(*point, unit(3.0), fill(palette.bg)))?;
        inner.draw(&Circle::new(*point, unit(3.0), style(colour, 1.5)))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charts::surface::Anchor;

    #[derive(Default)]
    struct Record {
        lines: Vec<Vec<(f64, f64)>>,
        polygons: usize,
        circles: usize,
        texts: Vec<String>,
    }

    impl Surface for Record {
        fn stroke(&mut self, points: &[(f64, f64)], _: Colour, _: f64) {
            self.lines.push(points.to_vec());
        }
        fn fill(&mut self, _: &[(f64, f64)], _: Colour) {
            self.polygons += 1;
        }
        fn circle(&mut self, _: (f64, f64), _: f64, _: Colour, _: Option<f64>) {
            self.circles += 1;
        }
        fn text(&mut self, text: &str, _: (f64, f64), _: f64, _: Colour, _: Anchor) {
            self.texts.push(text.to_owned());
        }
        fn text_width(&self, text: &str, size: f64) -> f64 {
            text.chars().count() as f64 * size * 0.55
        }
    }

    fn plot(points: Vec<(f64, f64)>) -> Plot {
        Plot {
            series: vec![Series {
                points,
                ..Series::default()
            }],
            ..Plot::default()
        }
    }

    #[test]
    fn lines_keep_parts_of_a_pixel() {
        let points = (0..200)
            .map(|k| (f64::from(k), (f64::from(k) / 30.0).sin() + 2.0))
            .collect();
        let mut record = Record::default();
        let frame = draw(&plot(points), &mut record, 600.0, 180.0, &Palette::default()).expect("points");
        let line = record.lines.iter().max_by_key(|line| line.len()).expect("a line");
        assert_eq!(line.len(), 200);
        assert!(
            line.iter().any(|point| point.1.fract() != 0.0),
            "whole pixels make steps"
        );
        assert!(
            line.iter()
                .all(|p| p.0 >= frame.left - 0.1 && p.0 <= frame.right + 0.1)
        );
        assert!(record.texts.contains(&"0".to_owned()), "{:?}", record.texts);
    }

    #[test]
    fn a_gap_interrupts_the_line() {
        let mut record = Record::default();
        let points = vec![(0.0, 1.0), (1.0, 2.0), (2.0, f64::NAN), (3.0, 1.0), (4.0, 2.0)];
        draw(&plot(points), &mut record, 300.0, 150.0, &Palette::default()).expect("points");
        let pairs = record
            .lines
            .iter()
            .filter(|line| line.len() == 2 && line[0].1 != line[1].1 && line[0].0 != line[1].0);
        assert_eq!(pairs.count(), 2);
    }

    #[test]
    fn nothing_is_drawn_without_points() {
        let mut record = Record::default();
        assert!(draw(&plot(vec![]), &mut record, 300.0, 150.0, &Palette::default()).is_none());
        assert!(
            draw(
                &plot(vec![(0.0, f64::NAN)]),
                &mut record,
                300.0,
                150.0,
                &Palette::default()
            )
            .is_none()
        );
        assert!(record.lines.is_empty() && record.texts.is_empty());
    }

    #[test]
    fn one_point_and_extremes_have_a_range() {
        assert_eq!(plot(vec![(5.0, 0.0)]).ranges(), Some(((4.5, 5.5), (0.0, 0.06))));
        let ranges = plot(vec![(0.0, -10.0), (1.0, 10.0)]).ranges().expect("points");
        assert!(ranges.1.0 < -10.0 && ranges.1.1 > 10.0);
    }

    #[test]
    fn bands_marks_and_names_are_drawn() {
        let series = |name: &str, hue, level: f64| Series {
            name: name.into(),
            hue,
            points: vec![(0.0, level), (10.0, level + 1.0)],
            band: vec![(0.0, level - 1.0, level + 1.0), (10.0, level, level + 2.0)],
            rings: true,
        };
        let plot = Plot {
            series: vec![series("own", Hue::D1, 50.0), series("other", Hue::D6, 50.1)],
            marks: vec![Mark {
                x: 5.0,
                words: "step".into(),
                kind: MarkKind::Step,
            }],
            references: vec![(55.0, "limit".into())],
            from_zero: false,
            ..Plot::default()
        };
        let mut record = Record::default();
        draw(&plot, &mut record, 400.0, 200.0, &Palette::default()).expect("points");
        assert_eq!(record.polygons, 2);
        assert_eq!(record.circles, 2 * (2 * 2 + 1));
        for text in ["own", "other", "step", "limit"] {
            assert!(
                record.texts.contains(&text.to_owned()),
                "{text}: {:?}",
                record.texts
            );
        }
    }

    #[test]
    fn pixels_and_values_agree() {
        let frame = Frame {
            left: 30.0,
            right: 330.0,
            top: 10.0,
            bottom: 110.0,
            x: (0.0, 60.0),
            y: (0.0, 20.0),
        };
        assert_eq!(frame.across(30.0), 180.0);
        assert_eq!(frame.down(5.0), 85.0);
        assert_eq!(frame.x_at(180.0), 30.0);
    }
}
