//! The fast way along x, where the image is `s` times as wide as the feature map for an integer `s`.
//!
//! Between two neighbouring cells lie `s` pixels, at the same `s` fractions for every pair. So instead of pixel after
//! pixel, take pair after pair: each pixel of a pair is one multiply-add of contiguous cells, a whole vector at a time.

use ndarray::ArrayView2;

use super::Columns;
use super::plan::FixedRow;
use crate::grid::Axis;

/// Pairs that go together.
const LANES: usize = 8;

type Lanes<T> = [T; LANES];

const SIGN: u32 = 1 << 31;

/// Pair `m` is (cell m - 1, cell m) in the map, (m, m + 1) with the border; the first and last pair are half outside the
/// image, and their missing pixels count as free to move.
#[derive(Debug)]
pub(super) struct Phases {
    /// How far between the cells of a pair each of its pixels lies.
    fractions: Vec<f32>,
    /// How many vectors the pairs of a row fill.
    vectors: usize,
    /// For each fixed row, vector of pairs and fraction: the bits of 1.0 where that pixel is fixed, else 0.
    fixed: Vec<Lanes<u32>>,
}

impl Phases {
    /// `None` where the scale is not an integer.
    pub fn new(axis: Axis, mask: ArrayView2<'_, bool>, rows: &[FixedRow]) -> Option<Self> {
        if !axis.pixels.is_multiple_of(axis.features) {
            return None;
        }
        let scale = axis.pixels / axis.features;
        // An even number of pixels straddles the middle of a cell; an odd one has a pixel on it.
        let start = if scale.is_multiple_of(2) { 0.5 } else { 0.0 };
        let fractions = (0..scale).map(|k| ((k as f64 + start) / scale as f64) as f32).collect();
        let before = scale.div_ceil(2);
        let vectors = (axis.features + 1).div_ceil(LANES);
        let mut fixed = Vec::with_capacity(rows.len() * vectors * scale);
        for row in rows {
            let row = mask.row(row.index);
            for first in (0..vectors * LANES).step_by(LANES) {
                fixed.extend((0..scale).map(|k| {
                    std::array::from_fn(|lane| {
                        let pixel = ((first + lane) * scale + k).checked_sub(before);
                        match pixel.and_then(|pixel| row.get(pixel)) {
                            Some(false) => 1.0_f32.to_bits(),
                            _ => 0,
                        }
                    })
                }));
            }
        }
        Some(Self { fractions, vectors, fixed })
    }
}

impl Columns for Phases {
    fn bordered(&self) -> usize {
        self.vectors * LANES + 1
    }

    fn slope(&self, row: usize, cells: &[f32], slope: &mut [f32]) {
        let per_row = self.vectors * self.fractions.len();
        let fixed = self.fixed[row * per_row..][..per_row].chunks_exact(self.fractions.len());
        let (nears, _) = cells.as_chunks::<LANES>();
        let (fars, _) = cells[1..].as_chunks::<LANES>();
        let (slopes, last) = slope.as_chunks_mut::<LANES>();
        let mut carry = 0.0;
        for (((near, far), slope), fixed) in nears.iter().zip(fars).zip(slopes).zip(fixed) {
            let (to_near, to_far) = pair_slopes(near, far, &self.fractions, fixed);
            // The far cell of one pair is the near cell of the next.
            slope[0] = to_near[0] + carry;
            for lane in 1..LANES {
                slope[lane] = to_near[lane] + to_far[lane - 1];
            }
            carry = to_far[LANES - 1];
        }
        last[0] = carry;
    }
}

/// What the fixed pixels of a vector of pairs add to the slope of their near and far cells.
#[inline]
fn pair_slopes(
    near: &Lanes<f32>,
    far: &Lanes<f32>,
    fractions: &[f32],
    fixed: &[Lanes<u32>],
) -> (Lanes<f32>, Lanes<f32>) {
    let step: Lanes<f32> = std::array::from_fn(|lane| far[lane] - near[lane]);
    let (mut signs, mut to_far) = ([0.0; LANES], [0.0; LANES]);
    for (fraction, fixed) in fractions.iter().zip(fixed) {
        for lane in 0..LANES {
            let value = near[lane] + fraction * step[lane];
            // sign(value) * fixed, without a branch.
            let some = if value == 0.0 { 0 } else { u32::MAX };
            let sign = f32::from_bits((value.to_bits() & SIGN | fixed[lane]) & some);
            signs[lane] += sign;
            to_far[lane] += fraction * sign;
        }
    }
    (std::array::from_fn(|lane| signs[lane] - to_far[lane]), to_far)
}
