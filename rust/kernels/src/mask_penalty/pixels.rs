//! The plain way along x: pixel by pixel, at any scale.

use ndarray::ArrayView2;

use super::{Columns, FixedRow};
use crate::feature_map::{Axis, Tap};

/// The tap of every fixed pixel, row by row.
pub(super) struct Pixels {
    bordered: usize,
    fixed: Vec<Vec<Tap>>,
}

impl Pixels {
    pub fn new(axis: Axis, mask: ArrayView2<'_, bool>, rows: &[FixedRow]) -> Self {
        let fixed = (rows.iter())
            .map(|row| {
                (mask.row(row.index).iter().enumerate())
                    .filter(|(_, may_move)| !**may_move)
                    .map(|(x, _)| axis.tap(x as i64))
                    .collect()
            })
            .collect();
        Self { bordered: axis.features + 2, fixed }
    }
}

impl Columns for Pixels {
    fn bordered(&self) -> usize {
        self.bordered
    }

    fn slope(&self, row: usize, cells: &[f32], slope: &mut [f32]) {
        slope.fill(0.0);
        for tap in &self.fixed[row] {
            let (near, far) = (tap.near + 1, tap.far + 1);
            let value = cells[near] + tap.weight * (cells[far] - cells[near]);
            let sign = f32::from(i8::from(value > 0.0) - i8::from(value < 0.0));
            slope[near] += (1.0 - tap.weight) * sign;
            slope[far] += tap.weight * sign;
        }
    }
}
