//! Colours that keep their order for every eye.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::input::InputError;

/// The committed tables.
const TABLES: &str = include_str!("../../data/colormaps.json");

/// Red, green and blue, 0 to 255.
pub type Rgb = [u8; 3];

#[derive(Deserialize)]
struct Table {
    lut: String,
}

static MAPS: LazyLock<BTreeMap<String, Vec<Rgb>>> = LazyLock::new(|| {
    let tables: BTreeMap<String, Table> =
        serde_json::from_str(TABLES).expect("the committed tables are valid JSON");
    tables
        .into_iter()
        .map(|(name, table)| (name, colors(&table.lut)))
        .collect()
});

/// Six hexadecimal digits a colour.
fn colors(lut: &str) -> Vec<Rgb> {
    let digit = |c: u8| (c as char).to_digit(16).unwrap_or(0) as u8;
    let (pairs, _) = lut.as_bytes().as_chunks::<2>();
    let bytes: Vec<u8> = pairs
        .iter()
        .map(|[high, low]| 16 * digit(*high) + digit(*low))
        .collect();
    bytes.as_chunks::<3>().0.to_vec()
}

/// Colours at the stops asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Colormap {
    /// One colour per stop; `None` for a missing stop.
    pub rgb: Vec<Option<Rgb>>,
}

/// The colour of `t` from 0 to 1 in a table of 256; `None` when t is NaN or the map is unknown.
/// Beyond the ends it is the end's.
///
/// Maps: `cividis` (the default for amounts), `viridis`, `batlow`; `vik` (the default for
/// differences, centred at 0.5) and `RdBu`.
///
/// ```
/// use analysis::display::color;
///
/// assert_eq!(color("viridis", 0.0), Some([68, 1, 84]));
/// assert_eq!(color("viridis", f64::NAN), None);
/// ```
#[must_use]
pub fn color(map: &str, t: f64) -> Option<Rgb> {
    let table = MAPS.get(map)?;
    if t.is_nan() {
        return None;
    }
    table
        .get(((256.0 * t).floor().max(0.0) as usize).min(255))
        .copied()
}

/// The colours of several stops: see [`color`].
///
/// ```
/// use analysis::display::colormap;
///
/// assert_eq!(colormap("cividis", &[0.0, 1.0])?.rgb[0], Some([0, 34, 78]));
/// assert!(colormap("jet", &[0.5]).is_err());
/// # Ok::<(), analysis::InputError>(())
/// ```
///
/// # Errors
/// When the map is unknown.
pub fn colormap(map: &str, stops: &[f64]) -> Result<Colormap, InputError> {
    if !MAPS.contains_key(map) {
        return Err(InputError::Unknown {
            name: map.to_owned(),
            expected: "viridis, cividis, batlow, vik or RdBu",
        });
    }
    Ok(Colormap {
        rgb: stops.iter().map(|t| color(map, *t)).collect(),
    })
}

/// Black or white, whichever can be read on the background: by WCAG luminance, with the
/// threshold 0.179.
///
/// ```
/// use analysis::display::text_color;
///
/// assert_eq!(text_color([255, 255, 0]), [0, 0, 0]);
/// assert_eq!(text_color([0, 0, 128]), [255, 255, 255]);
/// ```
#[must_use]
pub fn text_color(background: Rgb) -> Rgb {
    let linear = |channel: u8| {
        let c = f64::from(channel) / 255.0;
        if c <= 0.04045 {
            c / 12.92
        } else {
            ((c + 0.055) / 1.055).powf(2.4)
        }
    };
    let [r, g, b] = background.map(linear);
    if 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 {
        [0; 3]
    } else {
        [255; 3]
    }
}
