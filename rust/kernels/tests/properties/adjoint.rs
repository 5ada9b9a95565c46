//! `sample` is linear in the features, and `sample_adjoint` is its transpose.

use dragonnx_kernels::{sample, sample_adjoint};
use ndarray::{Array2, Array4};
use proptest::prelude::*;

use crate::maps::{CHANNELS, case, dot, values};

const POINTS: usize = 3;

proptest! {
    /// `<sample(x), y> = <x, sample_adjoint(y)>`. Tolerance: a few float32 roundings (6e-8) of sums of up to 54 products of
    /// at most 4.
    #[test]
    fn the_adjoint_is_the_transpose(case in case(POINTS), grad in values(POINTS * CHANNELS)) {
        let grad = Array2::from_shape_vec((POINTS, CHANNELS), grad).expect("as many values");
        let windows = case.whole();
        let samples = sample(case.features.view(), &windows, case.points.view()).expect("whole map");
        let mut adjoint = Array4::zeros(case.features.dim());
        sample_adjoint(grad.view(), &windows, case.points.view(), adjoint.view_mut()).expect("whole map");
        let (forward, backward) = (dot(&samples, &grad), dot(&case.features, &adjoint));
        prop_assert!((forward - backward).abs() < 2e-5, "{forward} != {backward}");
    }

    /// A second call doubles the gradient exactly: the kernel adds.
    #[test]
    fn the_adjoint_adds(case in case(1), grad in values(CHANNELS)) {
        let grad = Array2::from_shape_vec((1, CHANNELS), grad).expect("as many values");
        let windows = case.whole();
        let mut once = Array4::zeros(case.features.dim());
        sample_adjoint(grad.view(), &windows, case.points.view(), once.view_mut()).expect("whole map");
        let mut sum = case.features.clone();
        sample_adjoint(grad.view(), &windows, case.points.view(), sum.view_mut()).expect("whole map");
        for ((sum, before), once) in sum.iter().zip(&case.features).zip(&once) {
            // One cell may be added to twice (near and far tap), so rounding differs by a few units of 2.
            prop_assert!((sum - (before + once)).abs() <= 2e-6);
        }
    }
}
