//! Charts: values in, pixels out. plotters draws through our own backend on the browser's canvas, with the
//! colours and the font of the page.

pub mod canvas;
pub mod cell;
pub mod decimate;
pub mod line;
pub mod plot;
pub mod surface;
pub mod theme;
pub mod ticks;
