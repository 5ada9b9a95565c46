//! Where things are: the two grids of one axis, and the windows of the feature map that the data hold.

use ndarray::{ArrayView1, ArrayView2, ArrayView4, ArrayViewMut4};

use crate::error::{Cells, Error};

/// One axis of `F^`: `features` cells stretched over `pixels` pixels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Axis {
    pub features: usize,
    pub pixels: usize,
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

impl Axis {
    /// The tap of an integer pixel, clamped to the image (half-pixel centres: pixel i sits at `(i + 0.5) f / H - 0.5`).
    pub fn tap(self, pixel: i64) -> Tap {
        let pixel = pixel.clamp(0, self.last_pixel());
        let scale = self.features as f64 / self.pixels as f64;
        let source = ((pixel as f64 + 0.5) * scale - 0.5).max(0.0);
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
pub struct MapSize {
    pub(crate) x: Axis,
    pub(crate) y: Axis,
}

impl MapSize {
    /// Both sizes are (height, width).
    ///
    /// # Errors
    ///
    /// [`Error::Size`] when one is below 1.
    pub fn new(feature_size: (i64, i64), image_size: (i64, i64)) -> Result<Self, Error> {
        let features = positive("feature_size", feature_size)?;
        let image = positive("image_size", image_size)?;
        Ok(Self {
            x: Axis { features: features.1, pixels: image.1 },
            y: Axis { features: features.0, pixels: image.0 },
        })
    }

    /// (height, width) of the whole feature map.
    #[must_use]
    pub fn feature_size(&self) -> (usize, usize) {
        (self.y.features, self.x.features)
    }

    /// (height, width) of the image.
    #[must_use]
    pub fn image_size(&self) -> (usize, usize) {
        (self.y.pixels, self.x.pixels)
    }
}

fn positive(name: &'static str, got: (i64, i64)) -> Result<(usize, usize), Error> {
    match (usize::try_from(got.0), usize::try_from(got.1)) {
        (Ok(height), Ok(width)) if height > 0 && width > 0 => Ok((height, width)),
        _ => Err(Error::Size { name, got }),
    }
}

/// Which cells of the full map the data hold, and which window each point reads.
///
/// The whole map is one window at the origin. Clamping happens at the border of the full map alone, so a window gives
/// exactly what the whole map gives, or an error.
#[derive(Clone, Debug)]
pub struct Windows {
    pub(crate) size: MapSize,
    pub(crate) width: usize,
    height: usize,
    channels: usize,
    origins: Vec<(usize, usize)>,
    window_of_point: Vec<usize>,
}

impl Windows {
    /// `shape` is `[N, C, h, w]` of the data, `origins` `[N, 2]` the (x, y) of each window's first cell in the full map,
    /// `window_index` `[n]` the window that each point reads.
    ///
    /// # Errors
    ///
    /// When shapes disagree, a window leaves the map or a point names no window.
    pub fn new(
        shape: [usize; 4],
        origins: ArrayView2<'_, i64>,
        size: MapSize,
        window_index: ArrayView1<'_, i64>,
    ) -> Result<Self, Error> {
        let [count, channels, height, width] = shape;
        if channels == 0 || height == 0 || width == 0 {
            return Err(Error::NoFeatures { got: shape.to_vec() });
        }
        expect_shape("origins", &[count, 2], origins.shape())?;
        let origins = (origins.rows().into_iter().enumerate())
            .map(|(window, row)| size.origin(window, (row[0], row[1]), (height, width)))
            .collect::<Result<_, _>>()?;
        let window_of_point = (window_index.iter().enumerate())
            .map(|(point, &got)| match usize::try_from(got) {
                Ok(index) if index < count => Ok(index),
                _ => Err(Error::WindowIndex { point, count, got }),
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { size, width, height, channels, origins, window_of_point })
    }

    /// How many channels the data have.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// How many points read the windows.
    #[must_use]
    pub fn points(&self) -> usize {
        self.window_of_point.len()
    }

    /// The first cell, (x, y), of the window that a point reads.
    pub(crate) fn origin(&self, point: usize) -> (usize, usize) {
        self.origins[self.window_of_point[point]]
    }

    /// The cells of the window that a point reads.
    pub(crate) fn cells(&self, point: usize) -> Cells {
        let (x, y) = self.origin(point);
        Cells { x: (x, x + self.width - 1), y: (y, y + self.height - 1) }
    }

    /// The data of the window that a point reads, `[C, h, w]` flat.
    pub(crate) fn of_point<'a>(&self, data: &'a [f32], point: usize) -> &'a [f32] {
        let size = self.channels * self.plane();
        &data[self.window_of_point[point] * size..][..size]
    }

    /// As [`Self::of_point`], to write to.
    pub(crate) fn of_point_mut<'a>(&self, data: &'a mut [f32], point: usize) -> &'a mut [f32] {
        let size = self.channels * self.plane();
        &mut data[self.window_of_point[point] * size..][..size]
    }

    /// How many cells one channel of a window has.
    pub(crate) fn plane(&self) -> usize {
        self.height * self.width
    }

    /// Features as one slice, after checking their shape.
    pub(crate) fn flat<'a>(&self, features: ArrayView4<'a, f32>) -> Result<&'a [f32], Error> {
        expect_shape("features", &self.shape(), features.shape())?;
        features.to_slice().ok_or(Error::NotContiguous { name: "features" })
    }

    /// As [`Self::flat`], for the buffer that a gradient is added to.
    pub(crate) fn flat_grad<'a>(&self, grad_features: ArrayViewMut4<'a, f32>) -> Result<&'a mut [f32], Error> {
        expect_shape("grad_features", &self.shape(), grad_features.shape())?;
        grad_features.into_slice().ok_or(Error::NotContiguous { name: "grad_features" })
    }

    fn shape(&self) -> [usize; 4] {
        [self.origins.len(), self.channels, self.height, self.width]
    }

    /// Points `[n, 2]` as (x, y) pairs, after checking their shape and values.
    pub(crate) fn points_of(&self, name: &'static str, points: ArrayView2<'_, f64>) -> Result<Vec<(f64, f64)>, Error> {
        expect_shape(name, &[self.points(), 2], points.shape())?;
        (points.rows().into_iter().enumerate())
            .map(|(point, row)| match (row[0], row[1]) {
                (x, y) if x.is_finite() && y.is_finite() => Ok((x, y)),
                (x, y) => Err(Error::PointNotFinite { name, point, x, y }),
            })
            .collect()
    }
}

impl MapSize {
    fn origin(&self, window: usize, origin: (i64, i64), size: (usize, usize)) -> Result<(usize, usize), Error> {
        let map = self.feature_size();
        let fits = |start: i64, length: usize, total: usize| {
            usize::try_from(start).ok().filter(|start| start.saturating_add(length) <= total)
        };
        match (fits(origin.0, size.1, map.1), fits(origin.1, size.0, map.0)) {
            (Some(x), Some(y)) => Ok((x, y)),
            _ => Err(Error::WindowOutsideMap { window, origin, size, map }),
        }
    }
}

/// Refuses an argument whose shape disagrees with the others.
pub(crate) fn expect_shape(name: &'static str, expected: &[usize], got: &[usize]) -> Result<(), Error> {
    if expected == got {
        return Ok(());
    }
    Err(Error::Shape { name, expected: expected.to_vec(), got: got.to_vec() })
}
