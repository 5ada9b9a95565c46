//! A rectangle of `F^` at integer pixels, read from a window for a block of channels at a time, and the adjoint of that
//! read.

use std::ops::RangeInclusive;

use crate::error::{Cells, Error};
use crate::grid::{Axis, Tap};
use crate::lanes::{LANES, Lanes, Simd, between};
use crate::window_plan::WindowPlan;

/// How to read the pixels `x` by `y` of `F^` for one point.
///
/// Pixels outside the image repeat the border, as `F^` does.
#[derive(Debug)]
pub(crate) struct Patch {
    pub x: RangeInclusive<i64>,
    pub y: RangeInclusive<i64>,
    /// Of one channel of the window: how long its rows are, and how many cells it has.
    window_width: usize,
    plane: usize,
    /// The first cell that the patch needs, in the window; (column, row), and how many of them.
    first_cell: (usize, usize),
    cells: (usize, usize),
    /// From that cell on.
    columns: Vec<Tap>,
    rows: Vec<Tap>,
}

/// What reads of patches work with, kept from one to the next.
#[derive(Default)]
pub(crate) struct Memory {
    /// The cells that the patch needs, row by row.
    cells: Vec<Lanes>,
    /// The same rows, resized along x.
    wide: Vec<Lanes>,
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
        shift(&mut columns, need.x.0);
        shift(&mut rows, need.y.0);
        Ok(Self {
            x,
            y,
            window_width: plan.window_size().1,
            plane: plan.plane(),
            first_cell: (need.x.0 - have.x.0, need.y.0 - have.y.0),
            cells: (need.x.1 - need.x.0 + 1, need.y.1 - need.y.0 + 1),
            columns,
            rows,
        })
    }

    /// How many pixels there are in a row.
    pub fn width(&self) -> usize {
        self.columns.len()
    }

    /// How many pixels there are.
    pub fn len(&self) -> usize {
        self.rows.len() * self.columns.len()
    }

    /// Which pixel of the patch this is, row by row.
    pub fn offset(&self, x: i64, y: i64) -> usize {
        (y - self.y.start()) as usize * self.width() + (x - self.x.start()) as usize
    }

    /// Reads up to [`LANES`] channels `[c, h, w]` of the window along x, as far as the patch needs. Lanes without a channel
    /// hold zero.
    #[inline(always)]
    pub fn widen<S: Simd>(&self, simd: S, channels: &[f32], memory: &mut Memory) {
        let Memory { cells, wide } = memory;
        self.gather(channels, cells);
        wide.resize(self.cells.1 * self.width(), Lanes::ZERO);
        for (cells, wide) in cells.chunks_exact(self.cells.0).zip(wide.chunks_exact_mut(self.width())) {
            for (value, tap) in wide.iter_mut().zip(&self.columns) {
                value.store(between(cells[tap.near].load(simd), cells[tap.far].load(simd), tap.weight));
            }
        }
    }

    /// After [`Self::widen`], for each row of pixels: the two rows that it lies between, and how far.
    pub fn between<'a>(&'a self, memory: &'a Memory) -> impl Iterator<Item = (&'a [Lanes], &'a [Lanes], f32)> {
        let row = |cell: usize| &memory.wide[cell * self.width()..][..self.width()];
        self.rows.iter().map(move |tap| (row(tap.near), row(tap.far), tap.weight))
    }

    /// Reads up to [`LANES`] channels `[c, h, w]` of the window into `pixels`: along x, then along y.
    #[inline(always)]
    pub fn read<S: Simd>(&self, simd: S, channels: &[f32], memory: &mut Memory, pixels: &mut [Lanes]) {
        self.widen(simd, channels, memory);
        for (row, (near, far, weight)) in pixels.chunks_exact_mut(self.width()).zip(self.between(memory)) {
            for ((value, near), far) in row.iter_mut().zip(near).zip(far) {
                value.store(between(near.load(simd), far.load(simd), weight));
            }
        }
    }

    /// Adds the adjoint of [`Self::read`] to the gradient of as many channels.
    #[inline(always)]
    pub fn add_adjoint<S: Simd>(&self, simd: S, grad_pixels: &[Lanes], memory: &mut Memory, grad: &mut [f32]) {
        let Memory { cells, wide } = memory;
        let (width, zero) = (self.width(), Lanes::ZERO.load(simd));
        wide.fill(Lanes::ZERO);
        let mut pixels = grad_pixels;
        for rows in self.rows.chunk_by(Tap::same_cells) {
            let (these, after) = pixels.split_at(rows.len() * width);
            pixels = after;
            for x in 0..width {
                let (mut to_both, mut to_far) = (zero, zero);
                for (row, tap) in these.chunks_exact(width).zip(rows) {
                    let grad = row[x].load(simd);
                    to_both += grad;
                    to_far += grad * tap.weight;
                }
                let [near, far] = [rows[0].near, rows[0].far].map(|cell| cell * width + x);
                wide[near].add(simd, to_both - to_far);
                wide[far].add(simd, to_far);
            }
        }
        cells.fill(Lanes::ZERO);
        for (cells, mut wide) in cells.chunks_exact_mut(self.cells.0).zip(wide.chunks_exact(width)) {
            for columns in self.columns.chunk_by(Tap::same_cells) {
                let (mut to_both, mut to_far) = (zero, zero);
                let (these, after) = wide.split_at(columns.len());
                wide = after;
                for (grad, tap) in these.iter().zip(columns) {
                    let grad = grad.load(simd);
                    to_both += grad;
                    to_far += grad * tap.weight;
                }
                let (near, far) = (columns[0].near, columns[0].far);
                cells[near].add(simd, to_both - to_far);
                cells[far].add(simd, to_far);
            }
        }
        for (lane, grad) in grad.chunks_exact_mut(self.plane).enumerate() {
            for (row, cells) in self.cell_rows_mut(grad).zip(cells.chunks_exact(self.cells.0)) {
                for (grad, cell) in row.iter_mut().zip(cells) {
                    *grad += cell.0[lane];
                }
            }
        }
    }

    /// The cells that the patch needs, of channels `[c, h, w]`.
    fn gather(&self, channels: &[f32], cells: &mut Vec<Lanes>) {
        cells.resize(self.cells.0 * self.cells.1, Lanes::ZERO);
        if channels.len() < LANES * self.plane {
            cells.fill(Lanes::ZERO);
        }
        for (lane, channel) in channels.chunks_exact(self.plane).enumerate() {
            for (row, cells) in self.cell_rows(channel).zip(cells.chunks_exact_mut(self.cells.0)) {
                for (value, cell) in row.iter().zip(cells) {
                    cell.0[lane] = *value;
                }
            }
        }
    }

    fn cell_rows<'a>(&self, channel: &'a [f32]) -> impl Iterator<Item = &'a [f32]> {
        let (column, columns) = (self.first_cell.0, self.cells.0);
        let rows = channel[self.first_cell.1 * self.window_width..].chunks_exact(self.window_width);
        rows.map(move |row| &row[column..][..columns])
    }

    fn cell_rows_mut<'a>(&self, channel: &'a mut [f32]) -> impl Iterator<Item = &'a mut [f32]> {
        let (column, columns) = (self.first_cell.0, self.cells.0);
        let rows = channel[self.first_cell.1 * self.window_width..].chunks_exact_mut(self.window_width);
        rows.map(move |row| &mut row[column..][..columns])
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
