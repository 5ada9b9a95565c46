//! Point tracking: find again, in the changed feature map, what a handle point sat on (section 3.3, equation 2).
//!
//! `p_i = argmin over integer pixels q in Omega_2(p_i, r2) of || F^(q) - f_i ||`, with `f_i = F0^(p_i at the start)`.

use std::ops::RangeInclusive;

use ndarray::{Array2, ArrayView2, ArrayView4};

use crate::error::{Error, expect_shape};
use crate::grid::{Axis, MapSize};
use crate::patch::Patch;
use crate::threads::{Threads, tasks_together};
use crate::window_plan::WindowPlan;

/// How many pixels, counted in every channel, are worth a piece of work of their own: measured at 0.2 ms on one core,
/// where waking a pool that sleeps costs 0.07 ms. A search window of 23 pixels and 256 channels stays in one piece.
const PIXELS_PER_TASK: usize = 1 << 18;

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
    threads: &Threads,
) -> Result<Array2<f64>, Error> {
    let windows = plan.features(features)?;
    expect_shape("reference_features", &[plan.points(), windows.channels], reference_features.shape())?;
    if !(search.r2 > 0.0 && search.r2.is_finite()) {
        return Err(Error::Radius { name: "r2", got: search.r2 });
    }
    let handles = plan.points_of("handle_points", handle_points)?;
    let mut bands = Vec::new();
    for (point, &handle) in handles.iter().enumerate() {
        let (x, y) = search.window(plan.size, handle);
        let patch = Patch::new(plan, point, x.clone(), y.clone())?;
        // Bands read the cells between them twice, so there are only as many as keep all threads busy.
        let parts = match patch.len() * windows.channels / PIXELS_PER_TASK {
            0 | 1 => 1,
            worth_it => worth_it.min(threads.size().div_ceil(handles.len())),
        };
        let rows = (y.end() - y.start()) as usize / parts + 1;
        for first in y.clone().step_by(rows) {
            let last = (first + rows as i64 - 1).min(*y.end());
            bands.push((point, Patch::new(plan, point, x.clone(), first..=last)?));
        }
    }
    let pixels: usize = bands.iter().map(|(_, patch)| patch.len() * windows.channels).sum();
    let least = tasks_together(bands.len(), pixels, PIXELS_PER_TASK);
    let best = threads.map(bands, least, Memory::default, |memory, (point, patch)| {
        let channels = windows.window(plan.window_of(point)).chunks_exact(plan.plane());
        let reference = reference_features.row(point);
        match search.distance {
            Distance::L1 => memory.measure(&patch, channels, reference.iter(), f32::abs),
            Distance::L2 => memory.measure(&patch, channels, reference.iter(), |difference| difference * difference),
        }
        (point, nearest(&patch, &memory.distances, handles[point]))
    });
    let mut tracked: Vec<Option<Candidate>> = vec![None; handles.len()];
    // In the order of the rows, so that among equals the first has the smallest y.
    for (point, candidate) in best {
        if tracked[point].is_none_or(|best| candidate.is_nearer_than(&best)) {
            tracked[point] = Some(candidate);
        }
    }
    Ok(tracked.into_iter().flatten().map(|candidate| candidate.pixel).collect::<Vec<_>>().into())
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

/// What a piece of work needs, kept from one band of a search window to the next.
#[derive(Default)]
struct Memory {
    wide: Vec<f32>,
    distances: Vec<f32>,
}

impl Memory {
    /// Sum over channels of `norm(F^(q) - f)`, for each pixel of the patch.
    fn measure<'a>(
        &mut self,
        patch: &Patch,
        channels: impl Iterator<Item = &'a [f32]>,
        reference: impl Iterator<Item = &'a f32>,
        norm: impl Fn(f32) -> f32,
    ) {
        self.wide.resize(patch.wide_len(), 0.0);
        self.distances.clear();
        self.distances.resize(patch.len(), 0.0);
        for (channel, reference) in channels.zip(reference) {
            patch.widen(channel, &mut self.wide);
            let rows = self.distances.chunks_exact_mut(patch.stride);
            for (row, (near, far, weight)) in rows.zip(patch.between(&self.wide)) {
                add_distances(row, near, far, weight, *reference, &norm);
            }
        }
    }
}

/// In a function of its own: then the compiler knows that the slices share no memory.
fn add_distances(sums: &mut [f32], near: &[f32], far: &[f32], weight: f32, reference: f32, norm: impl Fn(f32) -> f32) {
    for ((sum, near), far) in sums.iter_mut().zip(near).zip(far) {
        *sum += norm(near + weight * (far - near) - reference);
    }
}

/// A pixel, how far its features are from the ones sought, and how far it is from the old position, squared.
#[derive(Clone, Copy)]
struct Candidate {
    pixel: [f64; 2],
    features: f32,
    position: f64,
}

impl Candidate {
    fn is_nearer_than(&self, other: &Self) -> bool {
        (self.features, self.position) < (other.features, other.position)
    }
}

/// The pixel of the smallest distance; see [`point_tracking`] for ties. NaN counts as infinitely far.
fn nearest(patch: &Patch, distances: &[f32], old: (f64, f64)) -> Candidate {
    let candidate = |x: i64, y: i64| {
        let features = distances[patch.offset(x, y)];
        let (dx, dy) = (x as f64 - old.0, y as f64 - old.1);
        Candidate {
            pixel: [x as f64, y as f64],
            features: if features.is_nan() { f32::INFINITY } else { features },
            position: dx * dx + dy * dy,
        }
    };
    let mut best = candidate(*patch.x.start(), *patch.y.start());
    // Rows first, so that among equals the first has the smallest y, then x.
    for y in patch.y.clone() {
        for x in patch.x.clone() {
            let next = candidate(x, y);
            if next.is_nearer_than(&best) {
                best = next;
            }
        }
    }
    best
}
