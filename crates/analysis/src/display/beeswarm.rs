//! One dot per value, side by side where they would overlap.

use serde::{Deserialize, Serialize};

use crate::input::{InputError, at_most, check_complete, domain};

/// The most points of an exact swarm; use [`dot_stack`] above about 2 000, and above 20 000 a
/// histogram.
const MOST_POINTS: usize = 20_000;

/// Overlap, in squared pixels, that is taken for rounding.
const SLACK: f64 = 1e-7;

/// Heights of the dots.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Beeswarm {
    /// Height of each dot's centre above the axis, in pixels and input order.
    pub y: Vec<f64>,
    /// The largest of them without sign: draw something else when the panel is lower.
    pub half_height: f64,
}

/// Places dots of one diameter at their x, as close to the axis as they fit without overlap.
///
/// The dots are taken from left to right (equal x in input order). Each goes to the height
/// nearest to 0 at which it touches no dot placed before; of two equally near ones, up. The x are
/// never changed, and the order of the input does not matter unless values are equal.
///
/// ```
/// use analysis::display::beeswarm;
///
/// let of = beeswarm(&[3.0, 3.0, 3.0, 20.0], 6.0)?;
/// assert_eq!(of.y, [0.0, 6.0, -6.0, 0.0]);
/// assert_eq!(of.half_height, 6.0);
/// # Ok::<(), analysis::InputError>(())
/// ```
///
/// # Errors
/// When an x is missing or infinite, the diameter is not above 0, or there are more than 20 000
/// points.
pub fn beeswarm(x: &[f64], diameter: f64) -> Result<Beeswarm, InputError> {
    check_dots(x, diameter)?;
    at_most("x", x.len(), MOST_POINTS)?;
    let mut window = Window::new(diameter);
    let mut y = vec![0.0; x.len()];
    for (x, i) in left_to_right(x) {
        y[i as usize] = window.place(x);
    }
    let half_height = y.iter().fold(0.0_f64, |most, y| most.max(y.abs()));
    Ok(Beeswarm { y, half_height })
}

fn check_dots(x: &[f64], diameter: f64) -> Result<(), InputError> {
    check_complete("x", x)?;
    domain(
        "diameter",
        diameter,
        diameter > 0.0 && diameter <= 1e100,
        "a number above 0",
    )
}

/// A placed dot.
#[derive(Clone, Copy)]
struct Dot {
    x: f64,
    y: f64,
}

/// The x with their places, from left to right; equal x in input order.
fn left_to_right(x: &[f64]) -> Vec<(f64, u32)> {
    let mut dots: Vec<(f64, u32)> = x.iter().zip(0..).map(|(x, i)| (*x + 0.0, i)).collect();
    dots.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    dots
}

/// The dots that can still touch the next one, from low to high, and some that no longer can.
struct Window {
    diameter: f64,
    dots: Vec<Dot>,
    /// How many dots there may be before those out of reach are dropped.
    room: usize,
}

impl Window {
    fn new(diameter: f64) -> Self {
        Self {
            diameter,
            dots: Vec::new(),
            room: ROOM,
        }
    }

    fn place(&mut self, x: f64) -> f64 {
        if self.dots.len() >= self.room {
            let diameter = self.diameter;
            self.dots.retain(|dot| x - dot.x < diameter);
            self.room = ROOM + self.dots.len() * 5 / 4;
        }
        let up = self.first_free(x, 1.0, self.dots.iter());
        let y = if up == 0.0 {
            0.0
        } else {
            let down = self.first_free(x, -1.0, self.dots.iter().rev());
            if rounded(up) <= rounded(-down) { up } else { down }
        };
        let at = self.dots.partition_point(|dot| dot.y < y);
        self.dots.insert(at, Dot { x, y });
        y
    }

    /// The first free height from 0 in one direction.
    ///
    /// A dot blocks the heights within `√(d² - dx²)` of its own. Going through the dots in order
    /// of height, every height that a later dot pushes us to is beyond all earlier ones: only a
    /// wider block can begin below an earlier one, and then it ends above it. So one pass does.
    #[inline]
    fn first_free<'a>(&self, x: f64, direction: f64, dots: impl Iterator<Item = &'a Dot>) -> f64 {
        let square = self.diameter * self.diameter;
        let mut y = 0.0;
        for dot in dots.skip_while(|dot| dot.y * direction <= -self.diameter) {
            let (dx, dy) = (x - dot.x, y - dot.y);
            if dy * direction <= -self.diameter {
                break;
            }
            if dx * dx + dy * dy < square - SLACK {
                y = dot.y + direction * (square - dx * dx).sqrt();
            }
        }
        y
    }
}

/// Dots more than there are in reach before the others are dropped.
const ROOM: usize = 8;

fn rounded(y: f64) -> f64 {
    (y * 1e9).round()
}

/// A stack of dots.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DotStack {
    /// Centre of the stack.
    pub x: f64,
    /// Dots in it.
    pub count: usize,
}

/// Wilkinson's dot plot, for more points than a swarm can hold: stacks of dots, each of values
/// within one diameter of its first, in order of x.
///
/// ```
/// use analysis::display::dot_stack;
///
/// let stacks = dot_stack(&[1.0, 2.0, 9.0], 5.0)?;
/// assert_eq!((stacks[0].x, stacks[0].count, stacks[1].count), (1.5, 2, 1));
/// # Ok::<(), analysis::InputError>(())
/// ```
///
/// # Errors
/// When an x is missing or infinite, or the diameter is not above 0.
pub fn dot_stack(x: &[f64], diameter: f64) -> Result<Vec<DotStack>, InputError> {
    check_dots(x, diameter)?;
    let ascending = crate::order::sorted(x);
    let mut stacks = Vec::new();
    let mut rest = ascending.as_slice();
    while let Some(&first) = rest.first() {
        let count = rest.partition_point(|x| x - first < diameter).max(1);
        stacks.push(DotStack {
            x: f64::midpoint(first, rest[count - 1]),
            count,
        });
        rest = &rest[count..];
    }
    Ok(stacks)
}
