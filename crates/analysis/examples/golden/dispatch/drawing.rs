//! Display.

use analysis::display;
use serde::Deserialize;
use serde_json::Value;

use super::{Output, Scores, read, write};

/// Points of a density in the golden files.
const KDE_POINTS: usize = 7;

pub(super) fn beeswarm(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        x: Scores,
        diameter: f64,
    }
    let input: Input = read(case)?;
    write(display::beeswarm(&input.x.0, input.diameter))
}

pub(super) fn lttb(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        x: Scores,
        y: Scores,
        k: usize,
    }
    let input: Input = read(case)?;
    write(display::lttb(&input.x.0, &input.y.0, input.k))
}

pub(super) fn distribution(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        y: Scores,
    }
    let input: Input = read(case)?;
    write(display::distribution(&input.y.0, KDE_POINTS))
}

pub(super) fn bin2d(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        x: Scores,
        y: Scores,
        nx: usize,
        ny: usize,
        range: [[f64; 2]; 2],
    }
    let i: Input = read(case)?;
    write(display::bin2d(&i.x.0, &i.y.0, i.nx, i.ny, i.range))
}

pub(super) fn colormap(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        name: String,
        stops: Scores,
    }
    let input: Input = read(case)?;
    write(display::colormap(&input.name, &input.stops.0))
}
