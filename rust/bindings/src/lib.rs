//! The Python module `dragonnx._core`: one thin wrapper per kernel = check, detach from the interpreter, call, convert.
//!
//! The signatures and what they mean to a caller are in `python/dragonnx/_core.pyi`.

mod arrays;
mod error;
mod plans;
mod threads;

use pyo3::prelude::*;

#[pymodule(gil_used = false)]
mod _core {
    use dragonnx_kernels::{self as kernels, Search};
    use ndarray::{Ix2, Ix3, Ix4};
    use numpy::{PyArray1, PyArray2, ToPyArray};
    use pyo3::{prelude::*, types::PyTuple};

    use super::arrays::{InOut, Input};
    use super::error::Refusal;
    #[pymodule_export]
    use super::plans::{MaskPlan, WindowPlan};
    #[pymodule_export]
    use super::threads::Threads;

    /// How far apart two feature vectors are: L1 as in the paper, L2 as in the released code.
    #[pyclass(eq, hash, frozen, from_py_object, module = "dragonnx._core")]
    #[derive(Clone, Copy, PartialEq, Eq, Hash)]
    enum Distance {
        L1,
        L2,
    }

    #[pymethods]
    impl Distance {
        /// Lets `copy`, `pickle` and `dataclasses.asdict` handle settings that hold a distance.
        fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
            let py = slf.py();
            let name = match slf.get() {
                Self::L1 => "L1",
                Self::L2 => "L2",
            };
            let getattr = py.import("builtins")?.getattr("getattr")?;
            Ok((getattr, (py.get_type::<Self>(), name).into_pyobject(py)?))
        }
    }

    impl From<Distance> for kernels::Distance {
        fn from(distance: Distance) -> Self {
            match distance {
                Distance::L1 => Self::L1,
                Distance::L2 => Self::L2,
            }
        }
    }

    /// F^ at each point.
    #[pyfunction]
    fn sample<'py>(
        py: Python<'py>,
        features: Input<'py, f32, Ix4>,
        plan: &WindowPlan,
        points: Input<'py, f64, Ix2>,
    ) -> Result<Bound<'py, PyArray2<f32>>, Refusal> {
        let (features, points) = (features.view(), points.view());
        let samples = py.detach(|| kernels::sample(features, &plan.0, points))?;
        Ok(samples.to_pyarray(py))
    }

    /// Each handle point's loss; adds the gradient to `grad_features`.
    #[pyfunction]
    fn motion_supervision<'py>(
        py: Python<'py>,
        features: Input<'py, f32, Ix4>,
        plan: &WindowPlan,
        handle_points: Input<'py, f64, Ix2>,
        target_points: Input<'py, f64, Ix2>,
        r1: f64,
        mut grad_features: InOut<'py, f32, Ix4>,
        threads: &Threads,
    ) -> Result<Bound<'py, PyArray1<f64>>, Refusal> {
        let (features, grad_features) = (features.view(), grad_features.view_mut());
        let (handles, targets) = (handle_points.view(), target_points.view());
        let (plan, threads) = (&plan.0, &threads.0);
        let losses =
            py.detach(|| kernels::motion_supervision(features, plan, handles, targets, r1, grad_features, threads))?;
        Ok(losses.to_pyarray(py))
    }

    /// Where each handle point is now.
    #[pyfunction]
    fn point_tracking<'py>(
        py: Python<'py>,
        features: Input<'py, f32, Ix4>,
        plan: &WindowPlan,
        handle_points: Input<'py, f64, Ix2>,
        reference_features: Input<'py, f32, Ix2>,
        r2: f64,
        inclusive: bool,
        distance: Distance,
        threads: &Threads,
    ) -> Result<Bound<'py, PyArray2<f64>>, Refusal> {
        let search = Search { r2, inclusive, distance: distance.into() };
        let (features, handles, reference) = (features.view(), handle_points.view(), reference_features.view());
        let (plan, threads) = (&plan.0, &threads.0);
        let tracked = py.detach(|| kernels::point_tracking(features, plan, handles, reference, search, threads))?;
        Ok(tracked.to_pyarray(py))
    }

    /// The loss of what changed where nothing may move; adds the gradient to `grad_features`.
    #[pyfunction]
    fn mask_penalty(
        py: Python<'_>,
        features: Input<'_, f32, Ix3>,
        reference_features: Input<'_, f32, Ix3>,
        plan: &MaskPlan,
        weight: f64,
        mut grad_features: InOut<'_, f32, Ix3>,
        threads: &Threads,
    ) -> Result<f64, Refusal> {
        let (features, reference, grad_features) =
            (features.view(), reference_features.view(), grad_features.view_mut());
        Ok(py.detach(|| kernels::mask_penalty(features, reference, &plan.0, weight, grad_features, &threads.0))?)
    }
}
