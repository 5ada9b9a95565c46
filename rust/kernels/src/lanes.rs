//! Several channels at once, one in each lane of a vector.
//!
//! A kernel does the same to every channel, so it takes them in blocks: what is a number for one channel is a vector for a
//! block, and every weight is a number for all lanes. No lane waits for another, and nothing is lost at the end of a row.
//!
//! Code that is generic in `S` is compiled once for each instruction set, and the processor's best is chosen at run time.
//! It must be inlined into the function that enables the instructions. Products and sums are rounded one by one (no fused
//! multiply-add), and a vector has the same length everywhere: so results are the same to the bit with every set.

use fearless_simd::{SimdBase, f32x16};

pub(crate) use fearless_simd::{Level, Simd, dispatch};

/// How many channels go together.
pub(crate) const LANES: usize = 16;

/// A value of each channel of a block, in registers.
pub(crate) type Vector<S> = f32x16<S>;

/// A value of each channel of a block, in memory: one line of the cache.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
pub(crate) struct Lanes(pub [f32; LANES]);

impl Lanes {
    pub const ZERO: Self = Self([0.0; LANES]);

    #[inline(always)]
    pub fn load<S: Simd>(&self, simd: S) -> Vector<S> {
        Vector::load_array_ref(simd, &self.0)
    }

    #[inline(always)]
    pub fn store<S: Simd>(&mut self, value: Vector<S>) {
        value.store_array(&mut self.0);
    }

    #[inline(always)]
    pub fn add<S: Simd>(&mut self, simd: S, value: Vector<S>) {
        self.store(self.load(simd) + value);
    }

    /// Of all lanes, in one order everywhere: halves first.
    #[inline(always)]
    pub fn sum(&self) -> f32 {
        let mut sums = self.0;
        let mut half = LANES / 2;
        while half > 0 {
            for lane in 0..half {
                sums[lane] += sums[lane + half];
            }
            half /= 2;
        }
        sums[0]
    }
}

/// Nested rather than weighted, so that equal neighbours give exactly themselves.
#[inline(always)]
pub(crate) fn between<S: Simd>(near: Vector<S>, far: Vector<S>, fraction: f32) -> Vector<S> {
    near + (far - near) * fraction
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, Array3, Array4, Axis, array};

    use super::*;
    use crate::{Distance, MaskPlan, Search, Threads, WindowPlan, mask_penalty, motion_supervision, point_tracking};

    /// The least that any processor of this kind has, and what this one has beyond it.
    fn levels() -> Vec<Level> {
        let best = Level::new();
        let mut levels = vec![Level::baseline(), best];
        #[cfg(target_arch = "x86_64")]
        levels.extend(best.as_avx2().map(Level::Avx2));
        levels
    }

    /// `[1, 37, 9, 11]`: two whole blocks of channels and a part of one.
    fn features() -> Array4<f32> {
        Array4::from_shape_fn((1, 37, 9, 11), |(_, c, y, x)| ((c * 13 + y * 29 + x * 31) as f32 * 0.37).sin())
    }

    /// What each level gives, as bits of f64.
    fn all_equal(run: impl Fn(Level) -> Vec<u64>) {
        let results: Vec<_> = levels().into_iter().map(run).collect();
        assert!(results[0].iter().any(|bits| *bits != 0));
        assert!(results.iter().all(|result| *result == results[0]));
    }

    fn bits<'a>(values: impl IntoIterator<Item = &'a f32>) -> impl Iterator<Item = u64> {
        values.into_iter().map(|value| u64::from(value.to_bits()))
    }

    #[test]
    fn supervision_gives_the_same_bits_on_every_level() {
        let plan = WindowPlan::whole((9, 11), (45, 50), 2).expect("positive sizes");
        let (handles, targets) = (array![[20.3, 17.8], [31.0, 4.4]], array![[3.1, 20.7], [40.0, 44.0]]);
        all_equal(|level| {
            let mut grad = Array4::zeros(features().dim());
            let losses = motion_supervision::on_level(
                level,
                features().view(),
                &plan,
                handles.view(),
                targets.view(),
                6.5,
                grad.view_mut(),
                &Threads::new(Some(1)).expect("no pool"),
            );
            losses.expect("whole map").iter().map(|loss| loss.to_bits()).chain(bits(&grad)).collect()
        });
    }

    #[test]
    fn tracking_finds_the_same_pixels_on_every_level() {
        let plan = WindowPlan::whole((9, 11), (45, 50), 2).expect("positive sizes");
        let handles = array![[20.3, 17.8], [31.0, 4.4]];
        for distance in [Distance::L1, Distance::L2] {
            let search = Search { r2: 40.0, inclusive: false, distance };
            all_equal(|level| {
                let tracked = point_tracking::on_level(
                    level,
                    features().view(),
                    &plan,
                    handles.view(),
                    Array2::from_elem((2, 37), 0.1).view(),
                    search,
                    &Threads::new(Some(1)).expect("no pool"),
                );
                tracked.expect("whole map").iter().map(|pixel| pixel.to_bits()).collect()
            });
        }
    }

    #[test]
    fn a_penalty_has_the_same_bits_on_every_level() {
        let now: Array3<f32> = features().index_axis_move(Axis(0), 0);
        let start = now.map(|value| value * 0.5 + 0.1);
        for (height, width) in [(36, 44), (31, 50)] {
            let mask = Array2::from_shape_fn((height, width), |(y, x)| (x * 3 + y * 5) % 7 < 2);
            let plan = MaskPlan::new(mask.view(), (9, 11)).expect("positive sizes");
            all_equal(|level| {
                let mut grad = Array3::zeros(now.dim());
                let threads = Threads::new(Some(1)).expect("no pool");
                let loss =
                    mask_penalty::on_level(level, now.view(), start.view(), &plan, 20.0, grad.view_mut(), &threads);
                let loss = loss.expect("shapes agree").to_bits();
                bits(&grad).chain([loss]).collect()
            });
        }
    }
}
