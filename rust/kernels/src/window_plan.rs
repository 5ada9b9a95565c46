//! Which windows of the feature map the data hold, and which one each point reads.

use ndarray::{ArrayView1, ArrayView2, ArrayView4, ArrayViewMut4};

use crate::error::{Cells, Error, expect_shape};
use crate::grid::{MapSize, checked_size};

/// Which cells of the whole feature map N windows hold, and which window each point reads. Made and checked once.
///
/// The whole map is one window at the origin. Clamping happens at the border of the whole map alone, so a window gives
/// exactly what the whole map gives, or an error.
#[derive(Clone, Debug)]
pub struct WindowPlan {
    pub(crate) size: MapSize,
    /// Of every window, (height, width).
    window: (usize, usize),
    origins: Vec<(usize, usize)>,
    readers: Readers,
}

#[derive(Clone, Debug)]
enum Readers {
    /// So many points, all of which read the one window.
    All(usize),
    /// The window of each point.
    Each(Vec<usize>),
}

impl WindowPlan {
    /// `origins` `[N, 2]` is the (x, y) of each window's first cell in the whole map, `window_index` `[n]` the window
    /// that each point reads. Sizes are (height, width): of the windows and the whole map in cells, of the image in
    /// pixels.
    ///
    /// # Errors
    ///
    /// When a size is not usable, a window leaves the map or a point names no window.
    pub fn new(
        origins: ArrayView2<'_, i64>,
        window_size: (i64, i64),
        feature_size: (i64, i64),
        image_size: (i64, i64),
        window_index: ArrayView1<'_, i64>,
    ) -> Result<Self, Error> {
        let window = checked_size("window_size", window_size)?;
        let size = MapSize::new(checked_size("feature_size", feature_size)?, checked_size("image_size", image_size)?);
        let count = origins.nrows();
        expect_shape("origins", &[count, 2], origins.shape())?;
        let origins = (origins.rows().into_iter().enumerate())
            .map(|(index, row)| inside(&size, window, index, (row[0], row[1])))
            .collect::<Result<_, _>>()?;
        let readers = (window_index.iter().enumerate())
            .map(|(point, &got)| match usize::try_from(got) {
                Ok(index) if index < count => Ok(index),
                _ => Err(Error::WindowIndex { point, count, got }),
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { size, window, origins, readers: Readers::Each(readers) })
    }

    /// The whole map as one window that every point reads.
    ///
    /// # Errors
    ///
    /// When a size or the number of points is not usable.
    pub fn whole(feature_size: (i64, i64), image_size: (i64, i64), points: i64) -> Result<Self, Error> {
        let size = MapSize::new(checked_size("feature_size", feature_size)?, checked_size("image_size", image_size)?);
        let points = usize::try_from(points).map_err(|_| Error::Count { name: "points", got: points })?;
        Ok(Self { size, window: size.feature_size(), origins: vec![(0, 0)], readers: Readers::All(points) })
    }

    /// The same where so many cells on each side of the whole map lie beyond the image, as `StyleGAN3`'s do.
    ///
    /// # Errors
    ///
    /// When they leave no cell, or are below zero.
    pub fn with_margin(self, margin: i64) -> Result<Self, Error> {
        Ok(Self { size: self.size.with_margin(margin)?, ..self })
    }

    /// Cells on each side of the whole map that lie beyond the image.
    #[must_use]
    pub fn margin(&self) -> usize {
        self.size.margin()
    }

    /// The (x, y) of each window's first cell in the whole map.
    #[must_use]
    pub fn origins(&self) -> &[(usize, usize)] {
        &self.origins
    }

    /// (height, width) of every window, in cells.
    #[must_use]
    pub fn window_size(&self) -> (usize, usize) {
        self.window
    }

    /// (height, width) of the whole feature map, in cells.
    #[must_use]
    pub fn feature_size(&self) -> (usize, usize) {
        self.size.feature_size()
    }

    /// (height, width) of the image, in pixels.
    #[must_use]
    pub fn image_size(&self) -> (usize, usize) {
        self.size.image_size()
    }

    /// How many points read the windows.
    #[must_use]
    pub fn points(&self) -> usize {
        match &self.readers {
            Readers::All(points) => *points,
            Readers::Each(windows) => windows.len(),
        }
    }

    /// The window that a point reads.
    pub(crate) fn window_of(&self, point: usize) -> usize {
        match &self.readers {
            Readers::All(_) => 0,
            Readers::Each(windows) => windows[point],
        }
    }

    /// The cells of the window that a point reads.
    pub(crate) fn cells(&self, point: usize) -> Cells {
        let (x, y) = self.origins[self.window_of(point)];
        let (height, width) = self.window;
        Cells { x: (x, x + width - 1), y: (y, y + height - 1) }
    }

    /// How many cells one channel of a window has.
    pub(crate) fn plane(&self) -> usize {
        self.window.0 * self.window.1
    }

    /// Features `[N, C, h, w]` as windows, after checking their shape.
    pub(crate) fn features<'a>(&self, features: ArrayView4<'a, f32>) -> Result<Windows<'a>, Error> {
        let channels = features.dim().1;
        if channels == 0 {
            return Err(Error::NoFeatures { got: features.shape().to_vec() });
        }
        expect_shape("features", &self.shape(channels), features.shape())?;
        let values = features.to_slice().ok_or(Error::NotContiguous { name: "features" })?;
        Ok(Windows { values, channels, length: channels * self.plane() })
    }

    /// The buffer `[N, C, h, w]` that a gradient is added to, flat, after checking its shape.
    pub(crate) fn grad_features<'a>(
        &self,
        channels: usize,
        grad_features: ArrayViewMut4<'a, f32>,
    ) -> Result<&'a mut [f32], Error> {
        expect_shape("grad_features", &self.shape(channels), grad_features.shape())?;
        grad_features.into_slice().ok_or(Error::NotContiguous { name: "grad_features" })
    }

    fn shape(&self, channels: usize) -> [usize; 4] {
        [self.origins.len(), channels, self.window.0, self.window.1]
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

/// The data of all windows, `[N, C, h, w]` flat.
pub(crate) struct Windows<'a> {
    values: &'a [f32],
    pub channels: usize,
    /// Of one window.
    length: usize,
}

impl<'a> Windows<'a> {
    /// One window, `[C, h, w]` flat.
    pub fn window(&self, index: usize) -> &'a [f32] {
        &self.values[index * self.length..][..self.length]
    }
}

/// The origin of a window, refused where the window leaves the whole map.
fn inside(map: &MapSize, window: (usize, usize), index: usize, origin: (i64, i64)) -> Result<(usize, usize), Error> {
    let size = map.feature_size();
    let fits = |start: i64, length: usize, total: usize| {
        usize::try_from(start).ok().filter(|start| start.saturating_add(length) <= total)
    };
    match (fits(origin.0, window.1, size.1), fits(origin.1, window.0, size.0)) {
        (Some(x), Some(y)) => Ok((x, y)),
        _ => Err(Error::WindowOutsideMap { window: index, origin, size: window, map: size }),
    }
}
