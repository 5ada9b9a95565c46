//! Python arrays as arguments: borrowed without a copy, or refused in one sentence.

use ndarray::{Array2, ArrayView, ArrayViewMut, Dimension, Ix2};
use numpy::{Element, PyArray, PyReadonlyArray, PyReadwriteArray, PyUntypedArray, prelude::*};
use pyo3::{exceptions::PyTypeError, prelude::*};

/// An array that a kernel reads.
pub(crate) struct Input<'py, T: Element, D: Dimension>(PyReadonlyArray<'py, T, D>);

/// An array that a kernel adds to.
pub(crate) struct InOut<'py, T: Element, D: Dimension>(PyReadwriteArray<'py, T, D>);

/// A bool array. Any byte may lie in a Python one (`view(bool)` does not look), while a Rust `bool` is 0 or 1; so this
/// reads bytes and copies.
pub(crate) struct Mask(pub Array2<bool>);

impl<T: Element, D: Dimension> Input<'_, T, D> {
    pub fn view(&self) -> ArrayView<'_, T, D> {
        self.0.as_array()
    }
}

impl<T: Element, D: Dimension> InOut<'_, T, D> {
    pub fn view_mut(&mut self) -> ArrayViewMut<'_, T, D> {
        self.0.as_array_mut()
    }
}

impl<'py, T: Element, D: Dimension> FromPyObject<'_, 'py> for Input<'py, T, D> {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let array = checked(&object)?;
        let borrowed = array.try_readonly().map_err(|error| PyTypeError::new_err(error.to_string()))?;
        Ok(Self(borrowed))
    }
}

impl FromPyObject<'_, '_> for Mask {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        let array = checked::<bool, Ix2>(&object)?;
        let bytes: Input<'_, u8, Ix2> = array.call_method1("view", ("uint8",))?.extract()?;
        Ok(Self(bytes.view().mapv(|byte| byte != 0)))
    }
}

impl<'py, T: Element, D: Dimension> FromPyObject<'_, 'py> for InOut<'py, T, D> {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let array = checked(&object)?;
        if !flag(array.as_untyped(), "writeable")? {
            return Err(PyTypeError::new_err("expected a writeable array, got a read-only one"));
        }
        // What is left is an array that shares memory with one already borrowed for this call or by another thread.
        let borrowed = array
            .try_readwrite()
            .map_err(|_| PyTypeError::new_err("expected memory of its own, got an array that is in use as an input"))?;
        Ok(Self(borrowed))
    }
}

/// The object as an array of the wanted element type and dimensions whose memory may be read as a slice.
fn checked<'py, T: Element, D: Dimension>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyArray<T, D>>> {
    let py = object.py();
    let refuse = |got: String| {
        let (dtype, dimensions) = (T::get_dtype(py), D::NDIM.unwrap_or_default());
        Err(PyTypeError::new_err(format!(
            "expected a C-contiguous {dtype} array of {dimensions} dimensions, got {got}"
        )))
    };
    let Ok(array) = object.cast::<PyUntypedArray>() else {
        return refuse(format!("an object of type {}", object.get_type().name()?));
    };
    let shape = array.shape();
    match object.cast::<PyArray<T, D>>() {
        Err(_) => refuse(format!("{} of shape {shape:?}", array.dtype())),
        Ok(_) if !array.is_c_contiguous() => refuse(format!("strides {:?} for shape {shape:?}", array.strides())),
        Ok(_) if !flag(array, "aligned")? => refuse("memory that is not aligned".to_owned()),
        Ok(array) => Ok(array.clone()),
    }
}

/// One of the names in `ndarray.flags`.
fn flag(array: &Bound<'_, PyUntypedArray>, name: &str) -> PyResult<bool> {
    array.getattr("flags")?.getattr(name)?.extract()
}
