//! A kernel's refusal as a Python exception.

use dragonnx_kernels::Error;
use pyo3::{PyErr, exceptions::PyValueError};

/// The kernels know no Python, so the conversion needs a type of this crate.
pub(crate) struct Refusal(Error);

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl From<Refusal> for PyErr {
    fn from(Refusal(error): Refusal) -> Self {
        PyValueError::new_err(error.to_string())
    }
}
