//! How a picture is looked at: how large, and which part of it.

/// The largest magnification of the fitted picture.
pub const MOST: f64 = 16.0;
/// One step of magnification.
pub const STEP: f64 = 1.5;

/// A look at a picture that is fitted into a stage.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// How many times larger than fitted.
    pub scale: f64,
    /// How far the middle is moved, in parts of the fitted picture's size.
    pub x: f64,
    /// The same from top to bottom.
    pub y: f64,
}

impl Look {
    /// All of it.
    pub const FIT: Self = Self {
        scale: 1.0,
        x: 0.0,
        y: 0.0,
    };

    /// Larger or smaller by a factor, never smaller than fitted.
    #[must_use]
    pub fn zoom(self, factor: f64) -> Self {
        let scale = (self.scale * factor).clamp(1.0, MOST);
        Self { scale, ..self }.held()
    }

    /// Moved by parts of the fitted picture's size.
    #[must_use]
    pub fn pan(self, x: f64, y: f64) -> Self {
        Self {
            x: self.x + x,
            y: self.y + y,
            ..self
        }
        .held()
    }

    /// The picture never leaves its stage.
    fn held(self) -> Self {
        let most = (self.scale - 1.0) / 2.0;
        Self {
            scale: self.scale,
            x: self.x.clamp(-most, most),
            y: self.y.clamp(-most, most),
        }
    }

    /// As a CSS transform.
    pub fn transform(self) -> String {
        format!(
            "translate({:.3}%, {:.3}%) scale({:.4})",
            self.x * 100.0,
            self.y * 100.0,
            self.scale
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_stays_in_its_stage() {
        assert_eq!(Look::FIT.pan(0.4, -0.4), Look::FIT);
        assert_eq!(Look::FIT.zoom(0.1), Look::FIT);
        let close = Look::FIT.zoom(1000.0);
        assert_eq!(close.scale, MOST);
        let moved = Look::FIT.zoom(3.0).pan(9.0, -0.5);
        assert_eq!((moved.x, moved.y), (1.0, -0.5));
        assert_eq!(moved.zoom(1.0 / 3.0), Look::FIT);
        assert_eq!(moved.transform(), "translate(100.000%, -50.000%) scale(3.0000)");
    }
}
