//! The fast way along x, where the image is `s` times as wide as the feature map for an integer `s`.
//!
//! Between two neighbouring cells lie `s` pixels, at the same `s` fractions for every pair. So instead of pixel after
//! pixel, take pair after pair: each pixel of a pair is one multiply-add of contiguous cells, a whole vector at a time.

use std::collections::HashMap;

use fearless_simd::prelude::*;
use ndarray::ArrayView2;

use super::Columns;
use super::plan::FixedRow;
use crate::grid::Axis;
use crate::lanes::{LANES, Lanes, Vector};

/// Pair `m` is (cell m - 1, cell m) in the map, (m, m + 1) with the border; the first and last pair are half outside the
/// image, and their missing pixels count as free to move.
#[derive(Debug)]
pub(super) struct Phases {
    /// How far between the cells of a pair each of its pixels lies.
    fractions: Vec<f32>,
    /// How many vectors the pairs of a row fill.
    vectors: usize,
    /// For each fixed row and vector of pairs, which of the patterns its pixels have; `None` where all are free to move.
    fixed: Vec<Option<usize>>,
    /// Each pattern once, so that they stay in the fastest cache: for each fraction 1.0 where that pixel is fixed, else 0.
    patterns: Vec<Lanes>,
}

impl Phases {
    /// `None` where the scale is not an integer, or the map reaches beyond the image.
    pub fn new(axis: Axis, mask: ArrayView2<'_, bool>, rows: &[FixedRow]) -> Option<Self> {
        if axis.margin > 0 || !axis.pixels.is_multiple_of(axis.features) {
            return None;
        }
        let scale = axis.pixels / axis.features;
        // An even number of pixels straddles the middle of a cell; an odd one has a pixel on it.
        let start = if scale.is_multiple_of(2) { 0.5 } else { 0.0 };
        let fractions = (0..scale).map(|k| ((k as f64 + start) / scale as f64) as f32).collect();
        let before = scale.div_ceil(2);
        let vectors = (axis.features + 1).div_ceil(LANES);
        let (mut fixed, mut patterns, mut known) = (Vec::new(), Vec::new(), HashMap::new());
        for row in rows {
            let row = mask.row(row.index);
            let is_fixed = |pixel: Option<usize>| pixel.and_then(|pixel| row.get(pixel)) == Some(&false);
            for first in (0..vectors * LANES).step_by(LANES) {
                let pixels = first * scale..(first + LANES) * scale;
                let pattern: Vec<bool> = pixels.map(|pixel| is_fixed(pixel.checked_sub(before))).collect();
                fixed.push(pattern.contains(&true).then(|| {
                    *known.entry(pattern).or_insert_with_key(|pattern| {
                        patterns.extend((0..scale).map(|k| {
                            Lanes(std::array::from_fn(|lane| f32::from(u8::from(pattern[lane * scale + k]))))
                        }));
                        patterns.len() - scale
                    })
                }));
            }
        }
        Some(Self { fractions, vectors, fixed, patterns })
    }

    /// What the fixed pixels of a vector of pairs add to the slope of their near and far cells.
    #[inline(always)]
    fn pair_slopes<S: Simd>(&self, simd: S, near: Vector<S>, far: Vector<S>, pattern: usize) -> (Vector<S>, Vector<S>) {
        let zero = Vector::splat(simd, 0.0);
        let (step, mut to_both, mut to_far) = (far - near, zero, zero);
        for (fraction, fixed) in self.fractions.iter().zip(&self.patterns[pattern..]) {
            let value = near + step * *fraction;
            let sign = fixed.load(simd).copysign(value);
            let sign = value.simd_eq(0.0).select(zero, sign);
            to_both += sign;
            to_far += sign * *fraction;
        }
        (to_both - to_far, to_far)
    }
}

impl Columns for Phases {
    fn bordered(&self) -> usize {
        (self.vectors + 1) * LANES
    }

    #[inline(always)]
    fn slope<S: Simd>(&self, simd: S, row: usize, cells: &[f32], slope: &mut [f32]) {
        let fixed = &self.fixed[row * self.vectors..][..self.vectors];
        let (cells, _) = cells.as_chunks();
        let (slopes, _) = slope.as_chunks_mut();
        let zero = Vector::splat(simd, 0.0);
        let mut near = Vector::load_array_ref(simd, &cells[0]);
        let mut before = zero;
        for ((next, slope), fixed) in cells[1..].iter().zip(&mut *slopes).zip(fixed) {
            let next = Vector::load_array_ref(simd, next);
            let (to_near, to_far) = match fixed {
                Some(pattern) => self.pair_slopes(simd, near, near.slide::<1>(next), *pattern),
                None => (zero, zero),
            };
            // The far cell of one pair is the near cell of the next.
            (to_near + before.slide::<{ LANES - 1 }>(to_far)).store_array(slope);
            (near, before) = (next, to_far);
        }
        before.slide::<{ LANES - 1 }>(zero).store_array(&mut slopes[self.vectors]);
    }
}
