//! How is this drawn so that it says what is there?

mod beeswarm;
mod colormap;
mod decimate;
mod distribution;

pub use beeswarm::{Beeswarm, DotStack, beeswarm, dot_stack};
pub use colormap::{Colormap, Rgb, color, colormap, text_color};
pub use decimate::{Bin2d, Lttb, bin2d, lttb};
pub use distribution::{Density, Distribution, distribution, quantile_dots};
