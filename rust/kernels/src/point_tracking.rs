//! Point tracking: find again, in the changed feature map, what a handle point sat on (section 3.3, equation 2).
//!
//! `p_i = argmin over integer pixels q in Omega_2(p_i, r2) of || F^(q) - f_i ||`, with `f_i = F0^(p_i at the start)`.

use std::ops::RangeInclusive;

use ndarray::{Array2, ArrayView2, ArrayView4};

use crate::error::{Error, expect_shape};
use crate::grid::{Axis, MapSize};
use crate::patch::Patch;
use crate::window_plan::WindowPlan;

/// How far apart two feature vectors are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distance {
    /// Sum of absolute differences, as the paper defines.
    L1,
    /// Euclidean length, as the released code computes.
    L2,
}

/// Where to look and how to compare.
#[derive(Clone, Copy, Debug)]
pub struct Search {
    /// Half the side of the square window `Omega_2`, in image pixels.
    pub r2: f64,
    /// Whether the square contains its edge: `|dx| <= r2` rather than `|dx| < r2`.
    pub inclusive: bool,
    /// What the found pixel minimises.
    pub distance: Distance,
}

/// The tracked points `[n, 2]`, (x, y), each an integer pixel of the image.
///
/// `handle_points` `[n, 2]` are the old positions and `reference_features` `[n, C]` the `f_i`. A tie goes to the pixel
/// nearest to the old position, then to the smallest y, then x. An empty window holds the nearest pixel of the image.
///
/// # Errors
///
/// When shapes disagree, a point or the radius is not usable or a pixel reads a cell beyond its window.
pub fn point_tracking(
    features: ArrayView4<'_, f32>,
    plan: &WindowPlan,
    handle_points: ArrayView2<'_, f64>,
    reference_features: ArrayView2<'_, f32>,
    search: Search,
) -> Result<Array2<f64>, Error> {
    let windows = plan.features(features)?;
    expect_shape("reference_features", &[plan.points(), windows.channels], reference_features.shape())?;
    if !(search.r2 > 0.0 && search.r2.is_finite()) {
        return Err(Error::Radius { name: "r2", got: search.r2 });
    }
    let handles = plan.points_of("handle_points", handle_points)?;
    let mut tracked = Array2::zeros((handles.len(), 2));
    for (point, (&handle, mut found)) in handles.iter().zip(tracked.rows_mut()).enumerate() {
        let (x, y) = search.window(plan.size, handle);
        let patch = Patch::new(plan, point, x, y)?;
        let channels = windows.window(plan.window_of(point)).chunks_exact(plan.plane());
        let reference = reference_features.row(point);
        let distances = match search.distance {
            Distance::L1 => distances(&patch, channels, reference.iter(), f32::abs),
            Distance::L2 => distances(&patch, channels, reference.iter(), |difference| difference * difference),
        };
        (found[0], found[1]) = nearest(&patch, &distances, handle);
    }
    Ok(tracked)
}

impl Search {
    /// The pixels of `Omega_2`, along x and along y; never empty.
    fn window(self, size: MapSize, centre: (f64, f64)) -> (RangeInclusive<i64>, RangeInclusive<i64>) {
        if let (Some(x), Some(y)) = (self.pixels(size.x, centre.0), self.pixels(size.y, centre.1)) {
            return (x, y);
        }
        let (x, y) = (size.x.nearest_pixel(centre.0), size.y.nearest_pixel(centre.1));
        (x..=x, y..=y)
    }

    fn pixels(self, axis: Axis, centre: f64) -> Option<RangeInclusive<i64>> {
        let inside = |pixel: &i64| {
            let distance = (*pixel as f64 - centre).abs();
            distance < self.r2 || (self.inclusive && distance <= self.r2)
        };
        let mut around = axis.pixels_around(centre, self.r2);
        Some(around.clone().find(inside)?..=around.rfind(inside)?)
    }
}

/// Sum over channels of `norm(F^(q) - f)`, for each pixel of the patch.
fn distances<'a>(
    patch: &Patch,
    channels: impl Iterator<Item = &'a [f32]>,
    reference: impl Iterator<Item = &'a f32>,
    norm: impl Fn(f32) -> f32,
) -> Vec<f32> {
    let mut scratch = vec![0.0; patch.scratch_len()];
    let mut pixels = vec![0.0; patch.len()];
    let mut total = vec![0.0; patch.len()];
    for (channel, reference) in channels.zip(reference) {
        patch.read(channel, &mut scratch, &mut pixels);
        for (sum, pixel) in total.iter_mut().zip(&pixels) {
            *sum += norm(pixel - reference);
        }
    }
    total
}

/// The pixel of the smallest distance; see [`point_tracking`] for ties. NaN counts as infinitely far.
fn nearest(patch: &Patch, distances: &[f32], old: (f64, f64)) -> (f64, f64) {
    let mut best = (f32::INFINITY, f64::INFINITY);
    let mut found = old;
    // Rows first, so that among equals the first has the smallest y, then x.
    for y in patch.y.clone() {
        for x in patch.x.clone() {
            let distance = distances[patch.offset(x, y)];
            let distance = if distance.is_nan() { f32::INFINITY } else { distance };
            let (dx, dy) = (x as f64 - old.0, y as f64 - old.1);
            let candidate = (distance, dx * dx + dy * dy);
            if candidate < best {
                best = candidate;
                found = (x as f64, y as f64);
            }
        }
    }
    found
}
