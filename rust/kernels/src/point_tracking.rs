//! Point tracking: find again, in the changed feature map, what a handle point sat on (section 3.3, equation 2).
//!
//! `p_i = argmin over integer pixels q in Omega_2(p_i, r2) of || F^(q) - f_i ||`, with `f_i = F0^(p_i at the start)`.

use std::ops::RangeInclusive;

use fearless_simd::SimdBase;
use ndarray::{Array2, ArrayView2, ArrayView4};

use crate::error::{Error, expect_shape};
use crate::grid::{Axis, MapSize};
use crate::lanes::{LANES, Lanes, Level, Simd, Vector, between, dispatch};
use crate::patch::{self, Patch};
use crate::threads::{Threads, tasks_together};
use crate::window_plan::WindowPlan;

/// How many pixels, counted in every channel, are worth a piece of work of their own: measured at 0.08 ms on one core,
/// where waking a pool that sleeps costs 0.07 ms. A search window of 47 pixels and 256 channels stays in one piece.
const PIXELS_PER_TASK: usize = 1 << 19;

/// About how many pixels of a search window go together. Their sums just exceed the fastest cache; smaller bands read the
/// cells between them twice, larger ones leave fewer to share. Measured at 0.66 ms for 800, 0.72 for 384, 0.67 for 3000.
const BAND: usize = 800;

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
    on_level(Level::new(), features, plan, handle_points, reference_features, search, threads)
}

/// [`point_tracking`] with the instructions of a level.
pub(crate) fn on_level(
    level: Level,
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
    let reference: Vec<f32> = reference_features.iter().copied().collect();
    let mut bands = Vec::new();
    for (point, &handle) in handles.iter().enumerate() {
        let (x, y) = search.window(plan.size, handle);
        // A point whose search window leaves its cells is refused as a whole.
        let rows = (BAND / Patch::new(plan, point, x.clone(), y.clone())?.width()).max(1);
        for first in y.clone().step_by(rows) {
            let last = (first + rows as i64 - 1).min(*y.end());
            bands.push((point, Patch::new(plan, point, x.clone(), first..=last)?));
        }
    }
    let pixels: usize = bands.iter().map(|(_, patch)| patch.len() * windows.channels).sum();
    let least = tasks_together(bands.len(), pixels, PIXELS_PER_TASK);
    let plane = plan.plane();
    let best = threads.map(bands, least, Memory::default, |memory, (point, patch)| {
        let channels = windows.window(plan.window_of(point));
        let reference = &reference[point * windows.channels..][..windows.channels];
        match search.distance {
            Distance::L1 => dispatch!(level, simd => {
                memory.measure(simd, &patch, channels, plane, reference, Vector::abs);
            }),
            Distance::L2 => dispatch!(level, simd => {
                memory.measure(simd, &patch, channels, plane, reference, |difference| difference * difference);
            }),
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
    read: patch::Memory,
    sums: Vec<Lanes>,
    distances: Vec<f32>,
}

impl Memory {
    /// Sum over the channels `[C, h, w]` of `norm(F^(q) - f)`, for each pixel of the patch; NaN counts as infinitely far.
    #[inline(always)]
    fn measure<S: Simd>(
        &mut self,
        simd: S,
        patch: &Patch,
        channels: &[f32],
        plane: usize,
        reference: &[f32],
        norm: impl Fn(Vector<S>) -> Vector<S>,
    ) {
        let Self { read, sums, distances } = self;
        sums.clear();
        sums.resize(patch.len(), Lanes::ZERO);
        for (channels, reference) in channels.chunks(LANES * plane).zip(reference.chunks(LANES)) {
            let mut lanes = Lanes::ZERO;
            lanes.0[..reference.len()].copy_from_slice(reference);
            let reference = lanes.load(simd);
            patch.widen(simd, channels, read);
            for (row, (near, far, weight)) in sums.chunks_exact_mut(patch.width()).zip(patch.between(read)) {
                add_distances(simd, row, near, far, weight, reference, &norm);
            }
        }
        distances.clear();
        distances.extend(sums.iter().map(Lanes::sum).map(|sum| if sum.is_nan() { f32::INFINITY } else { sum }));
    }
}

/// In a function of its own: then the compiler knows that the slices share no memory.
#[inline(always)]
fn add_distances<S: Simd>(
    simd: S,
    sums: &mut [Lanes],
    near: &[Lanes],
    far: &[Lanes],
    weight: f32,
    reference: Vector<S>,
    norm: impl Fn(Vector<S>) -> Vector<S>,
) {
    for ((sum, near), far) in sums.iter_mut().zip(near).zip(far) {
        sum.add(simd, norm(between(near.load(simd), far.load(simd), weight) - reference));
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

/// The pixel of the smallest distance; see [`point_tracking`] for ties.
fn nearest(patch: &Patch, distances: &[f32], old: (f64, f64)) -> Candidate {
    let smallest = distances.iter().copied().fold(f32::INFINITY, f32::min);
    let candidate = |x: i64, y: i64, features: f32| {
        let (dx, dy) = (x as f64 - old.0, y as f64 - old.1);
        Candidate { pixel: [x as f64, y as f64], features, position: dx * dx + dy * dy }
    };
    let mut best = candidate(*patch.x.start(), *patch.y.start(), distances[0]);
    // Rows first, so that among equals the first has the smallest y, then x.
    for (y, row) in patch.y.clone().zip(distances.chunks_exact(patch.width())) {
        for (x, &features) in patch.x.clone().zip(row).filter(|(_, features)| **features <= smallest) {
            let next = candidate(x, y, features);
            if next.is_nearer_than(&best) {
                best = next;
            }
        }
    }
    best
}
