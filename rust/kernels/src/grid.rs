//! The two grids of a feature map and its image: which cells an integer pixel reads, and how much of each.

use crate::error::Error;

/// The longest side of a feature map and of an image. It keeps products of sizes inside `usize`, and a patch of a whole
/// image inside a gibibyte.
const LONGEST_SIDE: i64 = 1 << 14;

/// One axis of `F^`: `features` cells of which all but `margin` on each side are stretched over `pixels` pixels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Axis {
    pub features: usize,
    pub pixels: usize,
    pub margin: usize,
}

/// `F^` at one integer pixel of an axis: `cell[near] + weight * (cell[far] - cell[near])`.
///
/// `near == far` exactly where one cell decides alone, so every cell that is named has a non-zero weight.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Tap {
    pub near: usize,
    pub far: usize,
    pub weight: f32,
}

/// A coordinate between two pixels: `pixel[first] + fraction * (pixel[first + 1] - pixel[first])`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Position {
    pub first: i64,
    pub fraction: f32,
}

impl Tap {
    pub fn same_cells(&self, other: &Self) -> bool {
        (self.near, self.far) == (other.near, other.far)
    }
}

impl Axis {
    /// The tap of an integer pixel, clamped to the image (half-pixel centres: pixel i sits at `(i + 0.5) f / H - 0.5`
    /// of the cells that the image covers).
    pub fn tap(self, pixel: i64) -> Tap {
        let pixel = pixel.clamp(0, self.last_pixel());
        let scale = (self.features - 2 * self.margin) as f64 / self.pixels as f64;
        let source = ((pixel as f64 + 0.5) * scale - 0.5 + self.margin as f64).max(0.0);
        let last = self.features - 1;
        let near = (source as usize).min(last);
        let far = (near + 1).min(last);
        let alone = |cell| Tap { near: cell, far: cell, weight: 0.0 };
        match (source - near as f64) as f32 {
            _ if near == far => alone(near),
            weight if weight <= 0.0 => alone(near),
            weight if weight >= 1.0 => alone(far),
            weight => Tap { near, far, weight },
        }
    }

    /// Splits a coordinate, clamped to the image, into a pixel and the fraction of the way to the next one.
    pub fn position(self, coordinate: f64) -> Position {
        Position::split(coordinate.clamp(0.0, self.last_pixel() as f64))
    }

    /// The integer pixel nearest to a coordinate, inside the image; half-way goes to the smaller one.
    pub fn nearest_pixel(self, coordinate: f64) -> i64 {
        (coordinate.clamp(0.0, self.last_pixel() as f64) - 0.5).ceil() as i64
    }

    /// All integer pixels of the image whose distance to a coordinate may be up to `radius`, first and last.
    pub fn pixels_around(self, coordinate: f64, radius: f64) -> std::ops::RangeInclusive<i64> {
        // Clamping before the cast keeps far points and huge radii inside i64.
        let limit = self.pixels as f64;
        let first = (coordinate - radius).floor().clamp(-1.0, limit) as i64;
        let last = (coordinate + radius).ceil().clamp(-1.0, limit) as i64;
        first.max(0)..=last.min(self.last_pixel())
    }

    fn last_pixel(self) -> i64 {
        self.pixels as i64 - 1
    }
}

impl Position {
    /// Splits a coordinate or an offset; the pixel may lie outside the image.
    pub fn split(coordinate: f64) -> Self {
        let floor = coordinate.floor();
        let first = floor as i64;
        match (coordinate - floor) as f32 {
            // A fraction that rounds up to one belongs to the next pixel, or it would name a cell of weight zero.
            fraction if fraction >= 1.0 => Self { first: first + 1, fraction: 0.0 },
            fraction => Self { first, fraction },
        }
    }

    /// The last pixel that has a non-zero weight.
    pub fn last(self) -> i64 {
        self.first + i64::from(self.fraction > 0.0)
    }
}

/// The sizes of the whole feature map and of the image that it is resized to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MapSize {
    pub x: Axis,
    pub y: Axis,
}

impl MapSize {
    /// Both sizes are (height, width).
    pub fn new(features: (usize, usize), image: (usize, usize)) -> Self {
        let axis = |features, pixels| Axis { features, pixels, margin: 0 };
        Self { x: axis(features.1, image.1), y: axis(features.0, image.0) }
    }

    /// The same where so many cells on each side of the map lie beyond the image.
    ///
    /// # Errors
    ///
    /// When they leave no cell, or are below zero.
    pub fn with_margin(self, margin: i64) -> Result<Self, Error> {
        let most = (self.x.features.min(self.y.features) - 1) / 2;
        let Some(margin) = usize::try_from(margin).ok().filter(|&margin| margin <= most) else {
            return Err(Error::Margin { most, got: margin });
        };
        Ok(Self { x: Axis { margin, ..self.x }, y: Axis { margin, ..self.y } })
    }

    /// Cells on each side of the map that lie beyond the image.
    pub fn margin(&self) -> usize {
        self.x.margin
    }

    /// (height, width) of the whole feature map.
    pub fn feature_size(&self) -> (usize, usize) {
        (self.y.features, self.x.features)
    }

    /// (height, width) of the image.
    pub fn image_size(&self) -> (usize, usize) {
        (self.y.pixels, self.x.pixels)
    }
}

/// A (height, width) as it came, refused where one is below 1 or too long.
pub(crate) fn checked_size(name: &'static str, got: (i64, i64)) -> Result<(usize, usize), Error> {
    if got.0 < 1 || got.1 < 1 {
        return Err(Error::Size { name, got });
    }
    if got.0 > LONGEST_SIDE || got.1 > LONGEST_SIDE {
        return Err(Error::TooLarge { name, longest: LONGEST_SIDE, got });
    }
    Ok((got.0 as usize, got.1 as usize))
}
