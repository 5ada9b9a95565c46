//! A rectangle of `F^` at integer pixels, read from a window one channel at a time, and the adjoint of that read.

use std::ops::RangeInclusive;

use crate::error::{Cells, Error};
use crate::grid::{Axis, Tap};
use crate::window_plan::WindowPlan;

/// Rows of a patch are padded to a multiple of this, so that loops over them compile to whole vectors.
pub(crate) const LANES: usize = 8;

/// How to read the pixels `x` by `y` of `F^` for one point.
///
/// Pixels outside the image repeat the border, as `F^` does. Rows are `stride >= width` long; the padding repeats the
/// last pixel, so it reads no further cell.
#[derive(Debug)]
pub(crate) struct Patch {
    pub x: RangeInclusive<i64>,
    pub y: RangeInclusive<i64>,
    /// Length of one row of pixels in a buffer.
    pub stride: usize,
    window_width: usize,
    first_row: usize,
    cell_rows: usize,
    columns: Vec<Tap>,
    rows: Vec<Tap>,
}

impl Patch {
    /// Both ranges must hold at least one pixel.
    pub fn new(plan: &WindowPlan, point: usize, x: RangeInclusive<i64>, y: RangeInclusive<i64>) -> Result<Self, Error> {
        let (mut columns, mut rows) = (taps(plan.size.x, &x), taps(plan.size.y, &y));
        let need = Cells { x: span(&columns), y: span(&rows) };
        let have = plan.cells(point);
        let inside = |need: (usize, usize), have: (usize, usize)| have.0 <= need.0 && need.1 <= have.1;
        if !inside(need.x, have.x) || !inside(need.y, have.y) {
            return Err(Error::OutsideWindow { point, need, have });
        }
        shift(&mut columns, have.x.0);
        shift(&mut rows, need.y.0);
        let stride = columns.len().next_multiple_of(LANES);
        columns.resize(stride, columns[columns.len() - 1]);
        Ok(Self {
            x,
            y,
            stride,
            window_width: plan.window_size().1,
            first_row: need.y.0 - have.y.0,
            cell_rows: need.y.1 - need.y.0 + 1,
            columns,
            rows,
        })
    }

    /// How many values a buffer for the pixels must hold.
    pub fn len(&self) -> usize {
        self.rows.len() * self.stride
    }

    /// How many values the working buffer of [`Self::widen`] must hold, no more and no fewer.
    pub fn wide_len(&self) -> usize {
        self.cell_rows * self.stride
    }

    /// Where a pixel is in a buffer.
    pub fn offset(&self, x: i64, y: i64) -> usize {
        (y - self.y.start()) as usize * self.stride + (x - self.x.start()) as usize
    }

    /// Reads one channel `[h, w]` of the window along x, into `wide`: the cell rows that the patch needs.
    pub fn widen(&self, channel: &[f32], wide: &mut [f32]) {
        let cells = channel[self.first_row * self.window_width..].chunks_exact(self.window_width);
        for (cells, wide) in cells.zip(wide.chunks_exact_mut(self.stride)) {
            for (value, tap) in wide.iter_mut().zip(&self.columns) {
                let near = cells[tap.near];
                *value = near + tap.weight * (cells[tap.far] - near);
            }
        }
    }

    /// For each row of pixels, the two rows of `wide` that it lies between, and how far.
    pub fn between<'a>(&'a self, wide: &'a [f32]) -> impl Iterator<Item = (&'a [f32], &'a [f32], f32)> {
        let row = |cell: usize| &wide[cell * self.stride..][..self.stride];
        self.rows.iter().map(move |tap| (row(tap.near), row(tap.far), tap.weight))
    }

    /// Reads one channel `[h, w]` of the window into `pixels`: along x into `wide`, then along y.
    pub fn read(&self, channel: &[f32], wide: &mut [f32], pixels: &mut [f32]) {
        self.widen(channel, wide);
        for (row, (near, far, weight)) in pixels.chunks_exact_mut(self.stride).zip(self.between(wide)) {
            for ((value, near), far) in row.iter_mut().zip(near).zip(far) {
                *value = near + weight * (far - near);
            }
        }
    }

    /// Adds the adjoint of [`Self::read`] to one channel of the gradient.
    ///
    /// The padding of `grad_pixels` must be zero.
    pub fn add_adjoint(&self, grad_pixels: &[f32], wide: &mut [f32], grad_channel: &mut [f32]) {
        wide.fill(0.0);
        for (row, tap) in grad_pixels.chunks_exact(self.stride).zip(&self.rows) {
            let near = &mut wide[tap.near * self.stride..][..self.stride];
            for (cell, grad) in near.iter_mut().zip(row) {
                *cell += (1.0 - tap.weight) * grad;
            }
            if tap.near != tap.far {
                let far = &mut wide[tap.far * self.stride..][..self.stride];
                for (cell, grad) in far.iter_mut().zip(row) {
                    *cell += tap.weight * grad;
                }
            }
        }
        let cells = grad_channel[self.first_row * self.window_width..].chunks_exact_mut(self.window_width);
        for (cells, wide) in cells.zip(wide.chunks_exact(self.stride)) {
            for (grad, tap) in wide.iter().zip(&self.columns) {
                cells[tap.near] += (1.0 - tap.weight) * grad;
                cells[tap.far] += tap.weight * grad;
            }
        }
    }
}

fn taps(axis: Axis, pixels: &RangeInclusive<i64>) -> Vec<Tap> {
    pixels.clone().map(|pixel| axis.tap(pixel)).collect()
}

/// First and last cell; taps grow with the pixel, so the ends decide.
fn span(taps: &[Tap]) -> (usize, usize) {
    (taps[0].near, taps[taps.len() - 1].far)
}

fn shift(taps: &mut [Tap], origin: usize) {
    for tap in taps {
        tap.near -= origin;
        tap.far -= origin;
    }
}
