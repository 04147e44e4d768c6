//! Small pictures of images, made when they are first asked for.

use super::facts::MAX_PIXELS;
use image::{DynamicImage, ImageFormat, ImageReader, Limits};
use std::io::Cursor;
use std::sync::Arc;
use thiserror::Error;
use tokio::sync::Semaphore;

/// Longest side of a small picture, in pixels.
const SIDE: u32 = 320;
/// Pictures that are decoded at a time: each may take a few hundred megabytes.
const AT_ONCE: usize = 2;
/// Most memory that decoding one may take, in bytes.
const MEMORY: u64 = 512 << 20;
/// Larger files are not decoded, in bytes.
pub const MAX_FILE: u64 = 64 << 20;

/// Why there is no small picture.
#[derive(Debug, Error)]
pub enum ThumbnailError {
    /// The picture cannot be decoded.
    #[error("it cannot be decoded: {0}")]
    Image(#[from] image::ImageError),
    /// Its header says that it is larger than is decoded.
    #[error("it has more than {MAX_PIXELS} pixels")]
    Huge,
    /// The thread that decodes is gone.
    #[error("the thread that decodes it ended early")]
    Thread(#[from] tokio::task::JoinError),
}

/// Makes small pictures, a few at a time, on threads that may be blocked.
#[derive(Clone, Debug)]
pub struct Thumbnails(Arc<Semaphore>);

impl Default for Thumbnails {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

impl Thumbnails {
    /// A small picture of an image, as PNG where it is transparent, else as JPEG.
    ///
    /// # Errors
    /// [`ThumbnailError`] when the image cannot be decoded, or would take too much.
    pub async fn make(&self, content: bytes::Bytes) -> Result<Vec<u8>, ThumbnailError> {
        // Never closed, so this only waits.
        let _turn = self.0.acquire().await;
        tokio::task::spawn_blocking(move || small(&content)).await?
    }
}

fn small(content: &[u8]) -> Result<Vec<u8>, ThumbnailError> {
    let open = || {
        ImageReader::new(Cursor::new(content))
            .with_guessed_format()
            .map_err(image::ImageError::from)
    };
    let (width, height) = open()?.into_dimensions()?;
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(ThumbnailError::Huge);
    }
    let mut reader = open()?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(MEMORY);
    reader.limits(limits);
    let image = reader.decode()?;
    let image = if width.max(height) > SIDE {
        image.thumbnail(SIDE, SIDE)
    } else {
        image
    };
    let (image, format) = if image.color().has_alpha() {
        (DynamicImage::from(image.into_rgba8()), ImageFormat::Png)
    } else {
        (DynamicImage::from(image.into_rgb8()), ImageFormat::Jpeg)
    };
    let mut output = Cursor::new(Vec::new());
    image.write_to(&mut output, format)?;
    Ok(output.into_inner())
}

#[cfg(test)]
mod tests {
    use super::super::content::sniff;
    use super::*;

    fn png(image: &DynamicImage) -> Vec<u8> {
        let mut output = Cursor::new(Vec::new());
        image.write_to(&mut output, ImageFormat::Png).unwrap();
        output.into_inner()
    }

    #[test]
    fn a_small_picture_keeps_its_shape() {
        let made = small(&png(&DynamicImage::new_rgb8(1000, 500))).unwrap();
        assert_eq!(sniff(&made).mime, "image/jpeg");
        let size = ImageReader::new(Cursor::new(&made))
            .with_guessed_format()
            .unwrap()
            .into_dimensions();
        assert_eq!(size.unwrap(), (320, 160));
        let clear = small(&png(&DynamicImage::new_rgba8(20, 10))).unwrap();
        assert_eq!(sniff(&clear).mime, "image/png");
    }

    #[test]
    fn what_is_cut_off_is_an_error() {
        let whole = png(&DynamicImage::new_rgb8(100, 100));
        assert!(matches!(small(&whole[..40]), Err(ThumbnailError::Image(_))));
        assert!(small(b"<svg/>").is_err());
    }
}
