//! `F^` at single points, `f_i = F^(p_i)` of the paper's section 3.2, and the adjoint of that read.

use ndarray::{Array2, ArrayView2, ArrayView4, ArrayViewMut4};

use crate::error::Error;
use crate::feature_map::{Position, Windows, expect_shape};
use crate::patch::Patch;

/// One point: the two by two (or fewer) pixels around it and how far it lies between them.
struct Sample {
    patch: Patch,
    x: Position,
    y: Position,
}

impl Sample {
    fn all(windows: &Windows, points: ArrayView2<'_, f64>) -> Result<Vec<Self>, Error> {
        let points = windows.points_of("points", points)?;
        (points.into_iter().enumerate())
            .map(|(point, (x, y))| {
                let (x, y) = (windows.size.x.position(x), windows.size.y.position(y));
                let patch = Patch::new(windows, point, x.first..=x.last(), y.first..=y.last())?;
                Ok(Self { patch, x, y })
            })
            .collect()
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
    windows: &Windows,
    points: ArrayView2<'_, f64>,
) -> Result<Array2<f32>, Error> {
    let features = windows.flat(features)?;
    let samples = Sample::all(windows, points)?;
    let mut out = Array2::zeros((samples.len(), windows.channels()));
    for ((point, sample), mut row) in samples.iter().enumerate().zip(out.rows_mut()) {
        let corners = sample.corners();
        let mut scratch = vec![0.0; sample.patch.scratch_len()];
        let mut pixels = vec![0.0; sample.patch.len()];
        let channels = windows.of_point(features, point).chunks_exact(windows.plane());
        for (value, channel) in row.iter_mut().zip(channels) {
            sample.patch.read(channel, &mut scratch, &mut pixels);
            *value = corners.iter().map(|&(offset, weight)| weight * pixels[offset]).sum();
        }
    }
    Ok(out)
}

/// Adds to `grad_features` the adjoint of [`sample`] applied to `grad_samples` `[n, C]`.
///
/// # Errors
///
/// As [`sample`]; the gradient is untouched then.
pub fn sample_adjoint(
    grad_samples: ArrayView2<'_, f32>,
    windows: &Windows,
    points: ArrayView2<'_, f64>,
    grad_features: ArrayViewMut4<'_, f32>,
) -> Result<(), Error> {
    expect_shape("grad_samples", &[windows.points(), windows.channels()], grad_samples.shape())?;
    let grad_features = windows.flat_grad(grad_features)?;
    let samples = Sample::all(windows, points)?;
    for ((point, sample), row) in samples.iter().enumerate().zip(grad_samples.rows()) {
        let corners = sample.corners();
        let mut scratch = vec![0.0; sample.patch.scratch_len()];
        let mut pixels = vec![0.0; sample.patch.len()];
        let channels = windows.of_point_mut(grad_features, point).chunks_exact_mut(windows.plane());
        for (&grad, channel) in row.iter().zip(channels) {
            pixels.fill(0.0);
            for (offset, weight) in corners {
                pixels[offset] += weight * grad;
            }
            sample.patch.add_adjoint(&pixels, &mut scratch, channel);
        }
    }
    Ok(())
}
