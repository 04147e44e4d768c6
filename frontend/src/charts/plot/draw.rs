//! Drawing a plot by plotters, on any surface.

use plotters::{
    coord::{Shift, types::RangedCoordf64},
    element::DashedPathElement,
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};

use plotters_backend::BackendColor;

use super::{Across, Frame, MarkKind, Palette, Plot, Series};
use crate::charts::{
    decimate::decimate,
    surface::{Backend, Colour, Surface, UNIT},
    ticks::{number_label, number_step, number_ticks, time_ticks},
};

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
