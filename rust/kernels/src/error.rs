//! What a kernel refuses, each as one sentence that says what was expected and what came.

use std::fmt;

use thiserror::Error;

/// An inclusive rectangle of feature cells in the full map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cells {
    /// First and last column.
    pub x: (usize, usize),
    /// First and last row.
    pub y: (usize, usize),
}

impl fmt::Display for Cells {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { x, y } = self;
        write!(f, "x {}..={}, y {}..={}", x.0, x.1, y.0, y.1)
    }
}

/// Why a kernel did not run; no output was touched.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum Error {
    /// An argument's shape disagrees with the others.
    #[error("{name} must have shape {expected:?}, got {got:?}")]
    Shape {
        /// The argument.
        name: &'static str,
        /// The shape that the other arguments ask for.
        expected: Vec<usize>,
        /// The shape that came.
        got: Vec<usize>,
    },
    /// An argument is not laid out row by row without gaps.
    #[error("{name} must be C-contiguous, got another memory layout")]
    NotContiguous {
        /// The argument.
        name: &'static str,
    },
    /// A size is below one.
    #[error("{name} must be (height, width), both at least 1, got {got:?}")]
    Size {
        /// The argument.
        name: &'static str,
        /// The size that came, (height, width).
        got: (i64, i64),
    },
    /// A size is beyond what any model has.
    #[error("{name} must be (height, width), both at most {longest}, got {got:?}")]
    TooLarge {
        /// The argument.
        name: &'static str,
        /// The longest side.
        longest: i64,
        /// The size that came, (height, width).
        got: (i64, i64),
    },
    /// A margin that leaves nothing of the map, or is below zero.
    #[error("margin must be 0 to {most} cells, got {got}")]
    Margin {
        /// The widest one.
        most: usize,
        /// The margin that came.
        got: i64,
    },
    /// A count is below zero.
    #[error("{name} must be at least 0, got {got}")]
    Count {
        /// The argument.
        name: &'static str,
        /// The count that came.
        got: i64,
    },
    /// The features have no channel, no row or no column.
    #[error("features must have at least one channel, row and column, got shape {got:?}")]
    NoFeatures {
        /// The shape that came.
        got: Vec<usize>,
    },
    /// A window does not lie in the full map.
    #[error(
        "window {window} of {size:?} cells (height, width) at origin {origin:?} (x, y) must lie inside the feature \
         map of {map:?} cells"
    )]
    WindowOutsideMap {
        /// Which window.
        window: usize,
        /// Its first cell, (x, y).
        origin: (i64, i64),
        /// Its size, (height, width).
        size: (usize, usize),
        /// The full map's size, (height, width).
        map: (usize, usize),
    },
    /// A point names a window that is not there.
    #[error("window_index of point {point} must be one of the {count} windows, got {got}")]
    WindowIndex {
        /// Which point.
        point: usize,
        /// How many windows there are.
        count: usize,
        /// The index that came.
        got: i64,
    },
    /// A point reads cells beyond its window.
    #[error("point {point} needs feature cells {need}, but its window has {have}")]
    OutsideWindow {
        /// Which point.
        point: usize,
        /// The cells that it reads with non-zero weight.
        need: Cells,
        /// The cells that its window holds.
        have: Cells,
    },
    /// A coordinate is NaN or infinite.
    #[error("{name} must be finite, got ({x}, {y}) at point {point}")]
    PointNotFinite {
        /// The argument.
        name: &'static str,
        /// Which point.
        point: usize,
        /// Its x.
        x: f64,
        /// Its y.
        y: f64,
    },
    /// A radius is not a positive number.
    #[error("{name} must be a positive, finite number of pixels, got {got}")]
    Radius {
        /// The argument.
        name: &'static str,
        /// The radius that came.
        got: f64,
    },
    /// Work needs a thread.
    #[error("count must be at least 1 thread, got {got}")]
    NoThreads {
        /// The count that came.
        got: i64,
    },
    /// The system gives no more threads.
    #[error("{count} threads cannot be started: {reason}")]
    Threads {
        /// How many were asked for.
        count: usize,
        /// What the system says.
        reason: String,
    },
    /// A loss weight is negative or not finite.
    #[error("weight must be finite and not negative, got {got}")]
    Weight {
        /// The weight that came.
        got: f64,
    },
}

/// Refuses an argument whose shape disagrees with the others.
pub(crate) fn expect_shape(name: &'static str, expected: &[usize], got: &[usize]) -> Result<(), Error> {
    if expected == got {
        return Ok(());
    }
    Err(Error::Shape { name, expected: expected.to_vec(), got: got.to_vec() })
}
