//! Pictures of plain shapes, as PNG.

use super::chance::Dice;

/// Red, green, blue.
pub(super) type Colour = [u8; 3];

/// The colours that questions are about.
pub(super) const COLOURS: [(&str, Colour); 5] = [
    ("red", [214, 45, 45]),
    ("green", [46, 150, 70]),
    ("blue", [52, 88, 214]),
    ("yellow", [228, 196, 44]),
    ("purple", [134, 62, 170]),
];

/// The shapes that questions are about.
pub(super) const SHAPES: [&str; 4] = ["circle", "square", "triangle", "diamond"];

const GREY: Colour = [176, 180, 186];

/// A picture.
#[derive(Clone, Debug)]
pub(super) struct Canvas {
    width: u32,
    height: u32,
    pixels: Vec<u8>,
}

impl Canvas {
    /// A white picture.
    pub(super) fn new(width: u32, height: u32) -> Self {
        let bytes = width as usize * height as usize * 3;
        Self {
            width,
            height,
            pixels: vec![255; bytes],
        }
    }

    /// Draws a shape in a square with this middle and half a side.
    pub(super) fn shape(&mut self, name: &str, colour: Colour, (x, y): (i32, i32), half: i32) {
        for dy in -half..=half {
            for dx in -half..=half {
                let inside = match name {
                    "circle" => dx * dx + dy * dy <= half * half,
                    "triangle" => 2 * dx.abs() <= dy + half,
                    "diamond" => dx.abs() + dy.abs() <= half,
                    _ => true,
                };
                if inside {
                    self.dot(x + dx, y + dy, colour);
                }
            }
        }
    }

    /// Strews grey dots over the picture.
    pub(super) fn speckle(&mut self, dice: &mut Dice, count: u32) {
        for _ in 0..count {
            let x = dice.between(0, self.width - 1).cast_signed();
            let y = dice.between(0, self.height - 1).cast_signed();
            self.dot(x, y, GREY);
        }
    }

    fn dot(&mut self, x: i32, y: i32, colour: Colour) {
        let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y)) else {
            return;
        };
        if x < self.width && y < self.height {
            let at = (y as usize * self.width as usize + x as usize) * 3;
            self.pixels[at..at + 3].copy_from_slice(&colour);
        }
    }

    /// The picture as a PNG file.
    pub(super) fn png(&self) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, self.width, self.height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        // Plain areas become zeros, which the fastest compression is made for.
        encoder.set_compression(png::Compression::Fast);
        encoder.set_filter(png::Filter::Sub);
        let written = encoder.write_header().and_then(|mut writer| {
            writer.write_image_data(&self.pixels)?;
            writer.finish()
        });
        written.expect("a picture of the right size can always be written to memory");
        file
    }
}
