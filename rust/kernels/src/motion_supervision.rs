//! Motion supervision: pull what is around a handle point one pixel towards its target (section 3.2, equation 1).
//!
//! `loss_i = mean over q in Omega_1(p_i, r1) and c of | sg(F^(q)) - F^(q + d_i) |`, with `d_i` the unit vector from the
//! handle to its target and `sg` stopping the gradient. The paper sums; its released code takes this mean.

use std::ops::RangeInclusive;

use ndarray::{Array1, ArrayView2, ArrayView4, ArrayViewMut4};

use crate::error::Error;
use crate::grid::{MapSize, Position};
use crate::patch::Patch;
use crate::window_plan::WindowPlan;

/// Nearer to its target than this many pixels, a handle pulls no more: a whole step would overshoot.
const ARRIVED: f64 = 1.0;

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
) -> Result<Array1<f64>, Error> {
    let windows = plan.features(features)?;
    let grad_features = plan.grad_features(windows.channels, grad_features)?;
    if !(r1 > 0.0 && r1.is_finite()) {
        return Err(Error::Radius { name: "r1", got: r1 });
    }
    let handles = plan.points_of("handle_points", handle_points)?;
    let targets = plan.points_of("target_points", target_points)?;
    let motions = (handles.into_iter().zip(targets).enumerate())
        .map(|(point, (handle, target))| Motion::plan(plan, point, handle, target, r1))
        .collect::<Result<Vec<_>, _>>()?;
    Ok((motions.iter().enumerate())
        .map(|(point, motion)| {
            let Some(motion) = motion else { return 0.0 };
            let features = windows.window(plan.window_of(point));
            let grad = &mut grad_features[plan.window_of(point) * features.len()..][..features.len()];
            motion.run(features, grad, plan.plane())
        })
        .collect())
}

/// One row of `Omega_1`: where its pixels and the moved ones begin in the patch.
struct Run {
    reference: usize,
    moved: usize,
    length: usize,
}

/// What one handle point does to every channel alike.
struct Motion {
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
        let (dx, dy) = (target.0 - handle.0, target.1 - handle.1);
        let distance = dx.hypot(dy);
        if distance < ARRIVED {
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
        let below = if y.fraction > 0.0 { patch.stride } else { 0 };
        Ok(Some(Self { patch, runs, right, below, fraction: (x.fraction, y.fraction) }))
    }

    /// The loss of one point; adds its gradient to `grad` `[C, h, w]`.
    fn run(&self, features: &[f32], grad: &mut [f32], plane: usize) -> f64 {
        let terms = self.runs.iter().map(|run| run.length).sum::<usize>() * (features.len() / plane);
        let scale = (1.0 / terms as f64) as f32;
        let (x, y) = self.fraction;
        let (right, below) = (self.right, self.below);
        let weights = [scale * (1.0 - x) * (1.0 - y), scale * x * (1.0 - y), scale * (1.0 - x) * y, scale * x * y];
        let mut scratch = vec![0.0; self.patch.scratch_len()];
        let mut pixels = vec![0.0; self.patch.len()];
        let mut grad_pixels = vec![0.0; self.patch.len()];
        let mut total = 0.0;
        for (channel, grad_channel) in features.chunks_exact(plane).zip(grad.chunks_exact_mut(plane)) {
            self.patch.read(channel, &mut scratch, &mut pixels);
            grad_pixels.fill(0.0);
            for run in &self.runs {
                for step in 0..run.length {
                    let at = run.moved + step;
                    // Nested rather than weighted, so that a flat map moves onto itself exactly: no noise in the sign.
                    let upper = between(pixels[at], pixels[at + right], x);
                    let lower = between(pixels[at + below], pixels[at + below + right], x);
                    let difference = pixels[run.reference + step] - between(upper, lower, y);
                    total += f64::from(difference.abs());
                    let slope = -sign(difference);
                    grad_pixels[at] += weights[0] * slope;
                    grad_pixels[at + right] += weights[1] * slope;
                    grad_pixels[at + below] += weights[2] * slope;
                    grad_pixels[at + below + right] += weights[3] * slope;
                }
            }
            self.patch.add_adjoint(&grad_pixels, &mut scratch, grad_channel);
        }
        total / terms as f64
    }
}

fn between(near: f32, far: f32, fraction: f32) -> f32 {
    near + fraction * (far - near)
}

/// -1, 0 or 1; zero at zero, unlike `signum`.
fn sign(value: f32) -> f32 {
    f32::from(i8::from(value > 0.0) - i8::from(value < 0.0))
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
