//! `F^` at single points, `f_i = F^(p_i)` of the paper's section 3.2.

use fearless_simd::SimdBase;
use ndarray::{Array2, ArrayView1, ArrayView2, ArrayView4};

use crate::error::Error;
use crate::grid::Position;
use crate::lanes::{LANES, Lanes, Level, Simd, dispatch};
use crate::patch::{Memory, Patch};
use crate::window_plan::WindowPlan;

/// One point: the two by two (or fewer) pixels around it and how far it lies between them.
struct Sample {
    patch: Patch,
    x: Position,
    y: Position,
}

impl Sample {
    fn all(plan: &WindowPlan, points: ArrayView2<'_, f64>) -> Result<Vec<Self>, Error> {
        let points = plan.points_of("points", points)?;
        (points.into_iter().enumerate())
            .map(|(point, (x, y))| {
                let (x, y) = (plan.size.x.position(x), plan.size.y.position(y));
                let patch = Patch::new(plan, point, x.first..=x.last(), y.first..=y.last())?;
                Ok(Self { patch, x, y })
            })
            .collect()
    }

    /// `F^` at the point in each channel `[C, h, w]` of its window.
    #[inline(always)]
    fn read<S: Simd>(&self, simd: S, window: &[f32], plane: usize, memory: &mut Memory, values: &mut [f32]) {
        let corners = self.corners();
        let mut pixels = [Lanes::ZERO; 4];
        for (channels, values) in window.chunks(LANES * plane).zip(values.chunks_mut(LANES)) {
            self.patch.read(simd, channels, memory, &mut pixels[..self.patch.len()]);
            let mut sum = Lanes::ZERO.load(simd);
            for (offset, weight) in corners {
                sum += pixels[offset].load(simd) * weight;
            }
            values.copy_from_slice(&sum.as_slice()[..values.len()]);
        }
    }

    /// Offset and weight in the patch of the pixels that count. A pixel of weight zero is not in the patch, and its
    /// place is taken by its neighbour.
    fn corners(&self) -> [(usize, f32); 4] {
        let (x, y) = (self.x.fraction, self.y.fraction);
        let at = |x, y| self.patch.offset(x, y);
        [
            (at(self.x.first, self.y.first), (1.0 - x) * (1.0 - y)),
            (at(self.x.last(), self.y.first), x * (1.0 - y)),
            (at(self.x.first, self.y.last()), (1.0 - x) * y),
            (at(self.x.last(), self.y.last()), x * y),
        ]
    }
}

/// `F^` at `points` `[n, 2]`, (x, y) in image pixels: returns `[n, C]`.
///
/// # Errors
///
/// When shapes disagree, a point is not finite or reads a cell beyond its window.
pub fn sample(
    features: ArrayView4<'_, f32>,
    plan: &WindowPlan,
    points: ArrayView2<'_, f64>,
) -> Result<Array2<f32>, Error> {
    let windows = plan.features(features)?;
    let samples = Sample::all(plan, points)?;
    let mut out = Array2::zeros((samples.len(), windows.channels));
    let level = Level::new();
    let (mut memory, mut values) = (Memory::default(), vec![0.0; windows.channels]);
    for ((point, sample), mut row) in samples.iter().enumerate().zip(out.rows_mut()) {
        let window = windows.window(plan.window_of(point));
        dispatch!(level, simd => sample.read(simd, window, plan.plane(), &mut memory, &mut values));
        row.assign(&ArrayView1::from(&values));
    }
    Ok(out)
}
