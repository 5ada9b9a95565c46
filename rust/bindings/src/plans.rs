//! The plans that kernels take, as immutable Python objects: checked once, then read by any thread.

use dragonnx_kernels as kernels;
use ndarray::{Array2, Ix1, Ix2};
use numpy::{PyArray2, ToPyArray};
use pyo3::prelude::*;

use crate::arrays::{Input, Mask};
use crate::error::Refusal;

/// (height, width) as Python gives it.
type Size = (i64, i64);

/// Which cells of the whole feature map N windows hold, and which window each point reads.
#[pyclass(frozen, module = "dragonnx._core")]
pub(crate) struct WindowPlan(pub kernels::WindowPlan);

#[pymethods]
impl WindowPlan {
    #[new]
    #[pyo3(signature = (origins, window_size, feature_size, image_size, window_index, margin = 0))]
    fn new(
        py: Python<'_>,
        origins: Input<'_, i64, Ix2>,
        window_size: Size,
        feature_size: Size,
        image_size: Size,
        window_index: Input<'_, i64, Ix1>,
        margin: i64,
    ) -> Result<Self, Refusal> {
        let (origins, index) = (origins.view(), window_index.view());
        let plan = py.detach(|| {
            kernels::WindowPlan::new(origins, window_size, feature_size, image_size, index)?.with_margin(margin)
        })?;
        Ok(Self(plan))
    }

    /// The whole map as one window that every point reads.
    #[staticmethod]
    #[pyo3(signature = (feature_size, image_size, points, margin = 0))]
    fn whole(feature_size: Size, image_size: Size, points: i64, margin: i64) -> Result<Self, Refusal> {
        Ok(Self(kernels::WindowPlan::whole(feature_size, image_size, points)?.with_margin(margin)?))
    }

    #[getter]
    fn origins<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray2<i64>> {
        let origins = self.0.origins();
        let array = Array2::from_shape_fn((origins.len(), 2), |(window, axis)| {
            let (x, y) = origins[window];
            [x, y][axis] as i64
        });
        array.to_pyarray(py)
    }

    #[getter]
    fn window_size(&self) -> (usize, usize) {
        self.0.window_size()
    }

    #[getter]
    fn feature_size(&self) -> (usize, usize) {
        self.0.feature_size()
    }

    #[getter]
    fn image_size(&self) -> (usize, usize) {
        self.0.image_size()
    }

    #[getter]
    fn margin(&self) -> usize {
        self.0.margin()
    }

    #[getter]
    fn points(&self) -> usize {
        self.0.points()
    }

    fn __repr__(&self) -> String {
        let plan = &self.0;
        format!(
            "WindowPlan(windows={}, window_size={:?}, feature_size={:?}, image_size={:?}, points={})",
            plan.origins().len(),
            plan.window_size(),
            plan.feature_size(),
            plan.image_size(),
            plan.points(),
        )
    }
}

/// Where an image is fixed, as the mask penalty reads it on a feature map of one size.
#[pyclass(frozen, module = "dragonnx._core")]
pub(crate) struct MaskPlan(pub kernels::MaskPlan);

#[pymethods]
impl MaskPlan {
    #[new]
    #[pyo3(signature = (mask, feature_size, margin = 0))]
    fn new(py: Python<'_>, mask: Mask, feature_size: Size, margin: i64) -> Result<Self, Refusal> {
        Ok(Self(py.detach(|| kernels::MaskPlan::with_margin(mask.0.view(), feature_size, margin))?))
    }

    #[getter]
    fn feature_size(&self) -> (usize, usize) {
        self.0.feature_size()
    }

    #[getter]
    fn image_size(&self) -> (usize, usize) {
        self.0.image_size()
    }

    fn __repr__(&self) -> String {
        let plan = &self.0;
        format!("MaskPlan(image_size={:?}, feature_size={:?})", plan.image_size(), plan.feature_size())
    }
}
