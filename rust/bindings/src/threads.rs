//! The threads that kernels may use, as a Python object that whoever starts a drag owns.

use dragonnx_kernels as kernels;
use pyo3::prelude::*;

use crate::error::Refusal;

/// How many threads a kernel may use, at most.
#[pyclass(frozen, module = "dragonnx._core")]
pub(crate) struct Threads(pub kernels::Threads);

#[pymethods]
impl Threads {
    #[new]
    #[pyo3(signature = (count=None))]
    fn new(py: Python<'_>, count: Option<i64>) -> Result<Self, Refusal> {
        Ok(Self(py.detach(|| kernels::Threads::new(count))?))
    }

    #[getter]
    fn count(&self) -> Option<usize> {
        self.0.count()
    }

    fn __repr__(&self) -> String {
        match self.0.count() {
            Some(count) => format!("Threads(count={count})"),
            None => "Threads(count=None)".to_owned(),
        }
    }
}
