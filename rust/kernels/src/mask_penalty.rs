//! The mask penalty: hold in place what must not move (section 3.2, the second term of equation 1).
//!
//! `loss = weight * mean over c, y, x of | (F^ - F0^)(1 - M) |`, over all pixels, with `M` true where the image may
//! move. Resizing is linear, so with `D = F - F0` and R the resize the loss is `k * sum |m * R D|`, and its gradient is
//! `k * G` with `G = R^T (m * sign(R D))`. Because the sum is homogeneous in D, it equals `<G, D>`: once the gradient is
//! there, the loss costs one small dot product and no pass over the pixels.

mod phases;
mod pixels;
mod plan;

use fearless_simd::SimdBase;
use ndarray::{ArrayView3, ArrayViewMut3};

use crate::error::{Error, expect_shape};
use crate::lanes::{Lanes, Level, Simd, Vector, between, dispatch};
use crate::threads::Threads;
pub use plan::MaskPlan;
use plan::{FixedColumns, FixedRow};

/// How many feature cells one task takes at least: one channel of a 128 x 128 map, measured at 0.07 ms to 512 px on one
/// core, far above the microseconds that a task costs. Channels of smaller maps go together.
const CELLS_PER_TASK: usize = 1 << 14;

/// The loss; adds its gradient to `grad_features`.
///
/// `features` (F), `reference_features` (F0) and `grad_features` are `[C, fh, fw]`; `plan` says what the mask fixes, and
/// `weight` is the paper's lambda.
///
/// # Errors
///
/// When shapes disagree or the weight is not usable; the gradient is untouched then.
pub fn mask_penalty(
    features: ArrayView3<'_, f32>,
    reference_features: ArrayView3<'_, f32>,
    plan: &MaskPlan,
    weight: f64,
    grad_features: ArrayViewMut3<'_, f32>,
    threads: &Threads,
) -> Result<f64, Error> {
    on_level(Level::new(), features, reference_features, plan, weight, grad_features, threads)
}

/// [`mask_penalty`] with the instructions of a level.
pub(crate) fn on_level(
    level: Level,
    features: ArrayView3<'_, f32>,
    reference_features: ArrayView3<'_, f32>,
    plan: &MaskPlan,
    weight: f64,
    grad_features: ArrayViewMut3<'_, f32>,
    threads: &Threads,
) -> Result<f64, Error> {
    let channels = features.dim().0;
    if channels == 0 {
        return Err(Error::NoFeatures { got: features.shape().to_vec() });
    }
    let (height, width) = plan.feature_size();
    let shape = [channels, height, width];
    expect_shape("features", &shape, features.shape())?;
    expect_shape("reference_features", &shape, reference_features.shape())?;
    expect_shape("grad_features", &shape, grad_features.shape())?;
    if !(weight >= 0.0 && weight.is_finite()) {
        return Err(Error::Weight { got: weight });
    }
    let features = features.to_slice().ok_or(Error::NotContiguous { name: "features" })?;
    let reference = reference_features.to_slice().ok_or(Error::NotContiguous { name: "reference_features" })?;
    let grad = grad_features.into_slice().ok_or(Error::NotContiguous { name: "grad_features" })?;
    let (rows, columns) = plan.image_size();
    let scale = weight / (channels * rows * columns) as f64;
    let maps = Maps { level, features, reference, grad, height, width };
    Ok(match &plan.columns {
        FixedColumns::Phases(phases) => maps.penalise(&plan.rows, phases, scale, threads),
        FixedColumns::Pixels(pixels) => maps.penalise(&plan.rows, pixels, scale, threads),
    })
}

/// The x half of the penalty, for one image row of one channel.
///
/// A row of cells comes with a border: `cells[0]` and everything after the last cell repeat their neighbour, so that no
/// pixel needs clamping.
trait Columns: Sync {
    /// The length of a row of cells with its border, in whole vectors.
    fn bordered(&self) -> usize;

    /// With R the resize along x and m the fixed pixels of the `row`-th fixed row, sets `slope` to
    /// `R^T (m * sign(R cells))`, on the border too.
    fn slope<S: Simd>(&self, simd: S, row: usize, cells: &[f32], slope: &mut [f32]);
}

/// The arrays `[C, fh, fw]`, flat, with the size of one channel, and the instructions to use.
struct Maps<'a> {
    level: Level,
    features: &'a [f32],
    reference: &'a [f32],
    grad: &'a mut [f32],
    height: usize,
    width: usize,
}

impl Maps<'_> {
    fn penalise(self, rows: &[FixedRow], columns: &impl Columns, scale: f64, threads: &Threads) -> f64 {
        let Self { level, features, reference, grad, height, width } = self;
        let plane = height * width;
        let task = CELLS_PER_TASK.div_ceil(plane) * plane;
        let tasks = features.chunks(task).zip(reference.chunks(task)).zip(grad.chunks_mut(task)).collect();
        let losses = threads.map(
            tasks,
            1,
            || Channel::new(height, width, columns.bordered()),
            |channel, ((features, reference), grad)| {
                let planes = features.chunks_exact(plane).zip(reference.chunks_exact(plane));
                (planes.zip(grad.chunks_exact_mut(plane)))
                    .map(|((features, reference), grad)| {
                        dispatch!(level, simd => channel.penalise(simd, features, reference, grad, rows, columns, scale))
                    })
                    .sum::<f64>()
            },
        );
        // In channel order: the same input gives the same bits, however many threads there were.
        scale * losses.iter().sum::<f64>()
    }
}

/// Working memory for one channel: D with a border along x, and G likewise.
struct Channel {
    width: usize,
    stride: usize,
    difference: Vec<f32>,
    gradient: Vec<f32>,
    cells: Vec<f32>,
    slope: Vec<f32>,
}

impl Channel {
    fn new(height: usize, width: usize, stride: usize) -> Self {
        let (map, row) = (vec![0.0; height * stride], vec![0.0; stride]);
        Self { width, stride, difference: map.clone(), gradient: map, cells: row.clone(), slope: row }
    }

    /// Adds the gradient of `scale` times the loss of one channel `[fh, fw]`; returns that loss, not scaled.
    #[inline(always)]
    fn penalise<S: Simd>(
        &mut self,
        simd: S,
        features: &[f32],
        reference: &[f32],
        grad: &mut [f32],
        rows: &[FixedRow],
        columns: &impl Columns,
        scale: f64,
    ) -> f64 {
        self.subtract(features, reference);
        self.find_slope(simd, rows, columns);
        self.add_to(simd, grad, scale as f32)
    }

    #[inline(always)]
    fn subtract(&mut self, features: &[f32], reference: &[f32]) {
        let rows = features.chunks_exact(self.width).zip(reference.chunks_exact(self.width));
        for ((now, start), row) in rows.zip(self.difference.chunks_exact_mut(self.stride)) {
            let (border, row) = row.split_at_mut(1);
            let (row, after) = row.split_at_mut(self.width);
            for ((difference, now), start) in row.iter_mut().zip(now).zip(start) {
                *difference = now - start;
            }
            border[0] = row[0];
            after.fill(row[self.width - 1]);
        }
    }

    #[inline(always)]
    fn find_slope<S: Simd>(&mut self, simd: S, rows: &[FixedRow], columns: &impl Columns) {
        let Self { stride, difference, gradient, cells, slope, .. } = self;
        gradient.fill(0.0);
        for (row, FixedRow { tap, .. }) in rows.iter().enumerate() {
            let near = vectors(simd, &difference[tap.near * *stride..][..*stride]);
            let far = vectors(simd, &difference[tap.far * *stride..][..*stride]);
            for ((cells, near), far) in cells.as_chunks_mut().0.iter_mut().zip(near).zip(far) {
                between(near, far, tap.weight).store_array(cells);
            }
            columns.slope(simd, row, cells, slope);
            for (row, weight) in [(tap.near, 1.0 - tap.weight), (tap.far, tap.weight)] {
                let (sums, _) = gradient[row * *stride..][..*stride].as_chunks_mut();
                for (sum, slope) in sums.iter_mut().zip(vectors(simd, slope)) {
                    (Vector::load_array_ref(simd, sum) + slope * weight).store_array(sum);
                }
            }
        }
    }

    /// Adds `scale * G` to `grad` and returns `<G, D>`.
    #[inline(always)]
    fn add_to<S: Simd>(&self, simd: S, grad: &mut [f32], scale: f32) -> f64 {
        let mut total = 0.0;
        let rows = self.difference.chunks_exact(self.stride).zip(self.gradient.chunks_exact(self.stride));
        for ((difference, gradient), grad) in rows.zip(grad.chunks_exact_mut(self.width)) {
            // The border repeats D, so the product with it needs no folding back.
            let mut sum = Vector::splat(simd, 0.0);
            for (difference, gradient) in vectors(simd, difference).zip(vectors(simd, gradient)) {
                sum += difference * gradient;
            }
            total += f64::from(Lanes(sum.to_array()).sum());
            for (sum, gradient) in grad.iter_mut().zip(&gradient[1..]) {
                *sum += scale * gradient;
            }
            grad[0] += scale * gradient[0];
            let after: f32 = gradient[self.width + 1..].iter().sum();
            grad[self.width - 1] += scale * after;
        }
        total
    }
}

/// A row with its border, which fills whole vectors.
#[inline(always)]
fn vectors<S: Simd>(simd: S, row: &[f32]) -> impl Iterator<Item = Vector<S>> {
    row.as_chunks().0.iter().map(
        #[inline(always)]
        move |lanes| Vector::load_array_ref(simd, lanes),
    )
}

#[cfg(test)]
mod tests {
    use super::pixels::Pixels;
    use super::*;
    use ndarray::{Array2, Array3};
    use proptest::prelude::*;

    /// Values that repeat, so that D is exactly zero in places, and signs of both kinds.
    fn map(shape: (usize, usize, usize), seed: usize) -> Array3<f32> {
        Array3::from_shape_fn(shape, |(c, y, x)| {
            let hash = (c * 31 + y * 17 + x * 7 + seed * 13).wrapping_mul(2_654_435_761) >> 7;
            f32::from(u8::try_from(hash % 9).unwrap_or(0)) - 4.0
        })
    }

    proptest! {
        /// Where s is a power of two, weights are short binary fractions and both paths are exact; at other scales a
        /// sign may differ only where R D is a rounding error away from zero, which the loss does not see.
        #[test]
        fn phases_equal_pixels(
            (height, width, scale) in (1_usize..6, 1_usize..20, 1_usize..9),
            seed in 0_usize..1000,
            share in 0_usize..5,
        ) {
            let (now, start) = (map((2, height, width), seed), map((2, height, width), seed + 1));
            let mask = Array2::from_shape_fn((height * 4, width * scale), |(y, x)| (y * 5 + x * 3 + seed) % 5 < share);
            let plan = MaskPlan::new(mask.view(), (height as i64, width as i64)).expect("positive sizes");
            let FixedColumns::Phases(phases) = &plan.columns else { panic!("an integer scale has phases") };
            let pixels = Pixels::new(plan.size.x, mask.view(), &plan.rows);
            let threads = Threads::new(Some(1)).expect("no pool");
            let run = |columns: &dyn Fn(Maps) -> f64| {
                let mut grad = Array3::<f32>::zeros(now.dim());
                let loss = columns(Maps {
                    level: Level::new(),
                    features: now.as_slice().expect("contiguous"),
                    reference: start.as_slice().expect("contiguous"),
                    grad: grad.as_slice_mut().expect("contiguous"),
                    height,
                    width,
                });
                (loss, grad)
            };
            let (fast, fast_grad) = run(&|maps| maps.penalise(&plan.rows, phases, 1.0, &threads));
            let (plain, plain_grad) = run(&|maps| maps.penalise(&plan.rows, &pixels, 1.0, &threads));
            prop_assert!((fast - plain).abs() <= 1e-5 * plain.abs());
            if scale.is_power_of_two() {
                prop_assert_eq!(fast_grad, plain_grad);
            }
        }
    }

    #[test]
    fn uneven_scales_have_no_phases() {
        let plan = MaskPlan::new(Array2::default((8, 9)).view(), (4, 4)).expect("positive sizes");
        assert!(matches!(plan.columns, FixedColumns::Pixels(_)));
    }
}
