//! Gradients against central differences along random directions.
//!
//! The losses are piecewise linear, so between kinks a central difference is exact up to rounding. Cases in which the step
//! crosses a kink are left out explicitly.

use dragonnx_kernels::{MaskPlan, WindowPlan, mask_penalty, motion_supervision, sample};
use ndarray::{Array2, Array3, Array4, Axis};
use proptest::prelude::*;

use crate::maps::{CHANNELS, Case, caller, case, disc, dot, points, signed, values};

/// Large enough that float32 rounding of the values (2e-7) over it stays below the tolerance.
const STEP: f32 = 1e-2;

/// Rounding of values up to 4 (2.4e-7 each, a few of them) over the step.
const TOLERANCE: f64 = 1e-4;

/// A direction with entries of at most 2 moves no value of F^ by more than this.
const LARGEST_MOVE: f32 = 2.0 * STEP;

/// `F^` at the given points.
fn read(case: &Case, features: &Array4<f32>, points: &Array2<f64>) -> Array2<f32> {
    let case = Case { points: points.clone(), ..case.clone() };
    sample(features.view(), &case.whole(), points.view()).expect("whole map")
}

proptest! {
    // About half of the cases meet a kink.
    #![proptest_config(ProptestConfig { max_global_rejects: 1 << 16, ..ProptestConfig::default() })]

    #[test]
    fn motion_supervision_detaches_its_reference(
        (case, direction) in case(1).prop_flat_map(|case| {
            let direction = values(case.features.len());
            (Just(case), direction)
        }),
        step in (-9.0..9.0, -9.0..9.0),
        r1 in 0.8..2.0,
    ) {
        let handle = (case.points[[0, 0]], case.points[[0, 1]]);
        let length = f64::hypot(step.0, step.1);
        let omega = disc(&case, handle, r1);
        prop_assume!(length >= 1.0 && !omega.is_empty());
        let direction = Array4::from_shape_vec(case.features.dim(), direction).expect("as many values");
        let targets = &case.points + &ndarray::array![[step.0, step.1]];

        let mut grad = Array4::zeros(case.features.dim());
        let losses = motion_supervision(
            case.features.view(), &case.whole(), case.points.view(), targets.view(), r1, grad.view_mut(), &caller(),
        ).expect("whole map");

        let reference = read(&case, &case.features, &points(omega.iter().copied()));
        let moved = points(omega.iter().map(|q| (q.0 + step.0 / length, q.1 + step.1 / length)));
        let loss = |features: &Array4<f32>| {
            let terms = &reference - &read(&case, features, &moved);
            terms.mapv(|term| f64::from(term.abs())).mean().expect("not empty")
        };
        let terms = &reference - &read(&case, &case.features, &moved);
        prop_assume!(terms.iter().all(|term| term.abs() > LARGEST_MOVE));
        let (ahead, behind) = (&case.features + &direction * STEP, &case.features - &direction * STEP);
        let difference = (loss(&ahead) - loss(&behind)) / f64::from(2.0 * STEP);
        prop_assert!((losses[0] - loss(&case.features)).abs() < 1e-6);
        prop_assert!((dot(&grad, &direction) - difference).abs() < TOLERANCE);
    }

    #[test]
    fn mask_penalty_over_all_pixels(
        (case, start, direction) in case(0).prop_flat_map(|case| {
            let count = case.features.len();
            (Just(case), values(count), values(count))
        }),
        free in prop::collection::vec(any::<bool>(), 19 * 19),
        weight in 0.5..30.0,
    ) {
        let (height, width) = case.image_size;
        let shape = (CHANNELS, case.feature_size.0, case.feature_size.1);
        let now = case.features.index_axis(Axis(0), 0).to_owned();
        let start = Array3::from_shape_vec(shape, start).expect("as many values");
        let direction = Array3::from_shape_vec(shape, direction).expect("as many values");
        let mask = Array2::from_shape_fn((height, width), |(y, x)| free[y * 19 + x]);

        let plan = MaskPlan::new(mask.view(), signed(case.feature_size)).expect("positive sizes");
        let mut grad = Array3::zeros(shape);
        let mut loss = |now: &Array3<f32>| {
            grad.fill(0.0);
            mask_penalty(now.view(), start.view(), &plan, weight, grad.view_mut(), &caller()).expect("shapes agree")
        };

        let pixels = points((0..height).flat_map(|y| (0..width).map(move |x| (x as f64, y as f64))));
        let terms = read(&case, &(&now - &start).insert_axis(Axis(0)), &pixels);
        let fixed = || terms.rows().into_iter().zip(&mask).filter(|(_, free)| !**free).map(|(row, _)| row);
        prop_assume!(fixed().all(|row| row.iter().all(|term| term.abs() > LARGEST_MOVE)));
        let sum: f64 = fixed().flatten().map(|term| f64::from(term.abs())).sum();
        let expected = weight * sum / (CHANNELS * height * width) as f64;

        let (ahead, behind) = (loss(&(&now + &direction * STEP)), loss(&(&now - &direction * STEP)));
        let difference = (ahead - behind) / f64::from(2.0 * STEP);
        prop_assert!((loss(&now) - expected).abs() < 1e-5 * weight);
        prop_assert!((dot(&grad, &direction) - difference).abs() < TOLERANCE * weight);
    }
}

/// At the first step F is F0: no loss, and above all no gradient (the sign of zero is zero).
#[test]
fn an_unchanged_map_has_no_penalty() {
    let map = Array3::from_shape_fn((3, 4, 5), |(c, y, x)| (c + y * 2 + x) as f32 * 0.3 - 1.0);
    for size in [(16, 20), (13, 17)] {
        let plan = MaskPlan::new(Array2::from_elem(size, false).view(), (4, 5)).expect("positive sizes");
        let mut grad = Array3::zeros(map.dim());
        let loss = mask_penalty(map.view(), map.view(), &plan, 20.0, grad.view_mut(), &caller());
        assert_eq!(loss, Ok(0.0));
        assert!(grad.iter().all(|value| *value == 0.0));
    }
}

/// A flat map moves onto itself: rounding must not turn into a gradient.
#[test]
fn a_flat_map_is_not_pulled() {
    let features = Array4::from_elem((1, 2, 7, 5), 0.1_f32);
    let plan = WindowPlan::whole((7, 5), (31, 29), 1).expect("positive sizes");
    let mut grad = Array4::zeros(features.dim());
    let (handles, targets) = (ndarray::array![[11.3, 9.8]], ndarray::array![[3.1, 20.7]]);
    let losses =
        motion_supervision(features.view(), &plan, handles.view(), targets.view(), 4.0, grad.view_mut(), &caller());
    assert_eq!(losses, Ok(ndarray::array![0.0]));
    assert!(grad.iter().all(|value| *value == 0.0));
}
