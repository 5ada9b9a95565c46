//! Motion supervision: pull what is around a handle point one pixel towards its target (section 3.2, equation 1).
//!
//! `loss_i = mean over q in Omega_1(p_i, r1) and c of | sg(F^(q)) - F^(q + d_i) |`, with `d_i` the unit vector from the
//! handle to its target and `sg` stopping the gradient. The paper sums; its released code takes this mean.

use std::ops::RangeInclusive;

use fearless_simd::prelude::*;
use ndarray::{Array1, ArrayView2, ArrayView4, ArrayViewMut4};

use crate::error::Error;
use crate::grid::{MapSize, Position};
use crate::lanes::{LANES, Lanes, Level, Simd, Vector, between, dispatch};
use crate::patch::{self, Patch};
use crate::threads::{Threads, tasks_together};
use crate::window_plan::{WindowPlan, Windows};

/// Nearer to its target than this many pixels, a handle pulls no more: a whole step would overshoot.
const ARRIVED: f64 = 1.0;

/// How many pixels, counted in every channel, are worth a piece of work of their own: measured at 0.07 ms on one core,
/// which is what waking a pool that sleeps costs. A disc of radius 6 and 256 channels stays in one piece.
const PIXELS_PER_TASK: usize = 1 << 17;

/// Loss `[n]` of each handle point; adds the sum's gradient to `grad_features`.
///
/// `handle_points` and `target_points` are `[n, 2]`, (x, y); `r1` is in image pixels. `Omega_1` holds the integer
/// pixels of the image nearer than `r1` to the handle, or the nearest one where there is none. A handle less than one
/// pixel from its target has loss 0 and no gradient.
///
/// # Errors
///
/// When shapes disagree, a point or the radius is not usable or a pixel reads a cell beyond its window; the gradient
/// is untouched then.
pub fn motion_supervision(
    features: ArrayView4<'_, f32>,
    plan: &WindowPlan,
    handle_points: ArrayView2<'_, f64>,
    target_points: ArrayView2<'_, f64>,
    r1: f64,
    grad_features: ArrayViewMut4<'_, f32>,
    threads: &Threads,
) -> Result<Array1<f64>, Error> {
    on_level(Level::new(), features, plan, handle_points, target_points, r1, grad_features, threads)
}

/// [`motion_supervision`] with the instructions of a level.
pub(crate) fn on_level(
    level: Level,
    features: ArrayView4<'_, f32>,
    plan: &WindowPlan,
    handle_points: ArrayView2<'_, f64>,
    target_points: ArrayView2<'_, f64>,
    r1: f64,
    grad_features: ArrayViewMut4<'_, f32>,
    threads: &Threads,
) -> Result<Array1<f64>, Error> {
    let windows = plan.features(features)?;
    let grad_features = plan.grad_features(windows.channels, grad_features)?;
    if !(r1 > 0.0 && r1.is_finite()) {
        return Err(Error::Radius { name: "r1", got: r1 });
    }
    let handles = plan.points_of("handle_points", handle_points)?;
    let targets = plan.points_of("target_points", target_points)?;
    let mut readers: Vec<Vec<Motion>> = Vec::new();
    readers.resize_with(plan.origins().len(), Vec::new);
    for (point, (handle, target)) in handles.into_iter().zip(targets).enumerate() {
        readers[plan.window_of(point)].extend(Motion::plan(plan, point, handle, target, r1)?);
    }
    let shares = shares(&readers, &windows, grad_features, plan.plane());
    let pixels: usize = shares.iter().map(Share::pixels).sum();
    let least = tasks_together(shares.len(), pixels, PIXELS_PER_TASK);
    let sums =
        threads.map(shares, least, Memory::default, |memory, share| dispatch!(level, simd => share.run(simd, memory)));
    let mut losses = Array1::zeros(plan.points());
    // In the order of the channels: the same input gives the same bits, however the work was shared out.
    for (point, sum) in sums.into_iter().flatten() {
        losses[point] += sum;
    }
    for motion in readers.iter().flatten() {
        losses[motion.point] /= motion.terms(windows.channels) as f64;
    }
    Ok(losses)
}

/// Some channels of one window, and all points that read it.
struct Share<'a> {
    motions: &'a [Motion],
    /// Of all channels of the window.
    channels: usize,
    plane: usize,
    features: &'a [f32],
    grad: &'a mut [f32],
}

/// Splits the windows by channels, which share no memory, into pieces that are worth it.
fn shares<'a>(
    readers: &'a [Vec<Motion>],
    windows: &Windows<'a>,
    grad_features: &'a mut [f32],
    plane: usize,
) -> Vec<Share<'a>> {
    let channels = windows.channels;
    let mut shares = Vec::new();
    for (window, (motions, grad)) in readers.iter().zip(grad_features.chunks_exact_mut(channels * plane)).enumerate() {
        let pixels: usize = motions.iter().map(|motion| motion.patch.len()).sum();
        if pixels == 0 {
            continue;
        }
        let blocks = channels.div_ceil(LANES);
        let parts = (pixels * channels / PIXELS_PER_TASK).clamp(1, blocks);
        let length = blocks.div_ceil(parts) * LANES * plane;
        let features = windows.window(window).chunks(length);
        shares.extend((features.zip(grad.chunks_mut(length))).map(|(features, grad)| Share {
            motions,
            channels,
            plane,
            features,
            grad,
        }));
    }
    shares
}

impl Share<'_> {
    fn pixels(&self) -> usize {
        self.motions.iter().map(|motion| motion.patch.len()).sum::<usize>() * self.features.len() / self.plane
    }

    /// Each point's terms, summed up for each block of channels by itself; adds the gradient.
    #[inline(always)]
    fn run<S: Simd>(self, simd: S, memory: &mut Memory) -> Vec<(usize, f64)> {
        let block = LANES * self.plane;
        let mut sums = Vec::with_capacity(self.motions.len() * self.features.len().div_ceil(block));
        for motion in self.motions {
            let scale = (1.0 / motion.terms(self.channels) as f64) as f32;
            memory.fit(&motion.patch);
            let blocks = self.features.chunks(block).zip(self.grad.chunks_mut(block));
            sums.extend(blocks.map(
                #[inline(always)]
                |(channels, grad)| (motion.point, motion.run(simd, channels, scale, memory, grad)),
            ));
        }
        sums
    }
}

/// What a piece of work needs, kept from one point to the next.
#[derive(Default)]
struct Memory {
    read: patch::Memory,
    pixels: Vec<Lanes>,
    grad_pixels: Vec<Lanes>,
}

impl Memory {
    fn fit(&mut self, patch: &Patch) {
        self.pixels.resize(patch.len(), Lanes::ZERO);
        self.grad_pixels.resize(patch.len(), Lanes::ZERO);
    }
}

/// One row of `Omega_1`: where its pixels and the moved ones begin in the patch.
struct Run {
    reference: usize,
    moved: usize,
    length: usize,
}

/// What one handle point does to every channel alike.
struct Motion {
    point: usize,
    patch: Patch,
    runs: Vec<Run>,
    /// Offsets from a pixel to its right, lower and lower right neighbour; 0 where that neighbour has no weight.
    right: usize,
    below: usize,
    fraction: (f32, f32),
}

impl Motion {
    /// `None` for a handle that has arrived.
    fn plan(
        plan: &WindowPlan,
        point: usize,
        handle: (f64, f64),
        target: (f64, f64),
        r1: f64,
    ) -> Result<Option<Self>, Error> {
        // Of a quarter of the way, so that no distance is beyond f64.
        let (dx, dy) = (target.0 / 4.0 - handle.0 / 4.0, target.1 / 4.0 - handle.1 / 4.0);
        let distance = dx.hypot(dy);
        if distance < ARRIVED / 4.0 {
            return Ok(None);
        }
        // Every q is an integer pixel, so all q + d share one fraction.
        let (x, y) = (Position::split(dx / distance), Position::split(dy / distance));
        let disc = disc(&plan.size, handle, r1);
        let columns = disc
            .iter()
            .fold((i64::MAX, i64::MIN), |(first, last), (_, row)| (first.min(*row.start()), last.max(*row.end())));
        let rows = (disc[0].0, disc[disc.len() - 1].0);
        let patch = Patch::new(plan, point, reach(columns, x), reach(rows, y))?;
        let runs = (disc.iter())
            .map(|(row, pixels)| Run {
                reference: patch.offset(*pixels.start(), *row),
                moved: patch.offset(pixels.start() + x.first, row + y.first),
                length: pixels.clone().count(),
            })
            .collect();
        let right = usize::from(x.fraction > 0.0);
        let below = if y.fraction > 0.0 { patch.width() } else { 0 };
        Ok(Some(Self { point, patch, runs, right, below, fraction: (x.fraction, y.fraction) }))
    }

    /// Over how many terms the loss is a mean.
    fn terms(&self, channels: usize) -> usize {
        self.runs.iter().map(|run| run.length).sum::<usize>() * channels
    }

    /// The sum of a block of channels' terms; adds the gradient of `scale` times it to `grad` `[c, h, w]`.
    #[inline(always)]
    fn run<S: Simd>(&self, simd: S, channels: &[f32], scale: f32, memory: &mut Memory, grad: &mut [f32]) -> f64 {
        let Memory { read, pixels, grad_pixels } = memory;
        self.patch.read(simd, channels, read, pixels);
        grad_pixels.fill(Lanes::ZERO);
        let mut total = 0.0;
        for run in &self.runs {
            total += f64::from(self.run_row(simd, run, pixels, scale, grad_pixels).sum());
        }
        self.patch.add_adjoint(simd, grad_pixels, read, grad);
        total
    }

    /// One row of `Omega_1`: the sum of its terms in each lane.
    #[inline(always)]
    fn run_row<S: Simd>(&self, simd: S, run: &Run, pixels: &[Lanes], scale: f32, grad_pixels: &mut [Lanes]) -> Lanes {
        let (x, y) = self.fraction;
        let zero = Lanes::ZERO.load(simd);
        let (mut total, mut left) = (zero, zero);
        for (reference, at) in (run.reference..).zip(run.moved..run.moved + run.length) {
            let (upper, lower) = (self.along_x(simd, pixels, at), self.along_x(simd, pixels, at + self.below));
            let difference = pixels[reference].load(simd) - between(upper, lower, y);
            let size = difference.abs();
            total += size;
            // The sign of zero is zero, and that of NaN.
            let slope = Vector::simd_from(simd, scale).copysign(-difference);
            let slope = size.simd_gt(0.0).select(slope, zero);
            self.pull(simd, slope * (1.0 - x) + left * x, at, grad_pixels);
            left = slope;
        }
        // The last pixel of the row pulls on its right neighbour too.
        if self.right > 0 {
            self.pull(simd, left * x, run.moved + run.length, grad_pixels);
        }
        let mut sums = Lanes::ZERO;
        sums.store(total);
        sums
    }

    /// A moved pixel and its right neighbour, at the fraction between them.
    #[inline(always)]
    fn along_x<S: Simd>(&self, simd: S, pixels: &[Lanes], at: usize) -> Vector<S> {
        between(pixels[at].load(simd), pixels[at + self.right].load(simd), self.fraction.0)
    }

    /// Adds to the gradient of a moved pixel and its lower neighbour.
    #[inline(always)]
    fn pull<S: Simd>(&self, simd: S, pull: Vector<S>, at: usize, grad_pixels: &mut [Lanes]) {
        grad_pixels[at].add(simd, pull * (1.0 - self.fraction.1));
        grad_pixels[at + self.below].add(simd, pull * self.fraction.1);
    }
}

/// The pixels that a range and its shifted copy touch together.
fn reach(range: (i64, i64), shift: Position) -> RangeInclusive<i64> {
    range.0.min(range.0 + shift.first)..=range.1.max(range.1 + shift.last())
}

/// `Omega_1` row by row; never empty. A disc meets each row in one run of pixels.
fn disc(size: &MapSize, centre: (f64, f64), r1: f64) -> Vec<(i64, RangeInclusive<i64>)> {
    let mut disc = Vec::new();
    for y in size.y.pixels_around(centre.1, r1) {
        let inside = |x: &i64| {
            let (dx, dy) = (*x as f64 - centre.0, y as f64 - centre.1);
            dx * dx + dy * dy < r1 * r1
        };
        let mut row = size.x.pixels_around(centre.0, r1);
        if let (Some(first), Some(last)) = (row.clone().find(inside), row.rfind(inside)) {
            disc.push((y, first..=last));
        }
    }
    if disc.is_empty() {
        let x = size.x.nearest_pixel(centre.0);
        disc.push((size.y.nearest_pixel(centre.1), x..=x));
    }
    disc
}
