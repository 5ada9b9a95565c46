//! The plain way along x: pixel by pixel, at any scale.

use std::ops::Range;

use ndarray::ArrayView2;

use super::Columns;
use super::plan::FixedRow;
use crate::grid::{Axis, Tap};
use crate::lanes::{LANES, Simd};

/// The tap of each pixel of a row, and which of them are fixed in each fixed row.
#[derive(Debug)]
pub(super) struct Pixels {
    bordered: usize,
    taps: Vec<Tap>,
    fixed: Vec<Vec<Range<usize>>>,
}

impl Pixels {
    pub fn new(axis: Axis, mask: ArrayView2<'_, bool>, rows: &[FixedRow]) -> Self {
        Self {
            bordered: (axis.features + 2).next_multiple_of(LANES),
            taps: (0..axis.pixels).map(|pixel| axis.tap(pixel as i64)).collect(),
            fixed: rows.iter().map(|row| runs(mask.row(row.index).iter())).collect(),
        }
    }
}

/// Where a row is fixed, as runs of pixels.
fn runs<'a>(row: impl Iterator<Item = &'a bool>) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for (x, _) in row.enumerate().filter(|(_, may_move)| !**may_move) {
        match runs.last_mut() {
            Some(run) if run.end == x => run.end += 1,
            _ => runs.push(x..x + 1),
        }
    }
    runs
}

impl Columns for Pixels {
    fn bordered(&self) -> usize {
        self.bordered
    }

    #[inline(always)]
    fn slope<S: Simd>(&self, _: S, row: usize, cells: &[f32], slope: &mut [f32]) {
        slope.fill(0.0);
        for tap in self.fixed[row].iter().flat_map(|run| &self.taps[run.clone()]) {
            let (near, far) = (tap.near + 1, tap.far + 1);
            let value = cells[near] + tap.weight * (cells[far] - cells[near]);
            let sign = f32::from(i8::from(value > 0.0) - i8::from(value < 0.0));
            slope[near] += (1.0 - tap.weight) * sign;
            slope[far] += tap.weight * sign;
        }
    }
}
