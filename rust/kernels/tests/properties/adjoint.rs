//! The gradient of motion supervision is the adjoint of reading `F^` at the moved pixels.

use dragonnx_kernels::{WindowPlan, motion_supervision, sample};
use ndarray::{Array1, Array2, Array4};
use proptest::prelude::*;

use crate::maps::{Case, caller, case, disc, dot, points, signed, values};

const POINTS: usize = 3;

/// Below this, rounding of two values up to 2 (2.4e-7 each, a few of them) may turn a term's sign.
const ROUNDING: f32 = 2e-6;

fn supervised(case: &Case, targets: &Array2<f64>, r1: f64, grad: &mut Array4<f32>) -> Array1<f64> {
    motion_supervision(
        case.features.view(),
        &case.whole(),
        case.points.view(),
        targets.view(),
        r1,
        grad.view_mut(),
        &caller(),
    )
    .expect("whole map")
}

/// Every q of `Omega_1`, by definition, and q + d; nothing for a handle that has arrived.
fn pairs(case: &Case, point: usize, target: (f64, f64), r1: f64) -> (Array2<f64>, Array2<f64>) {
    let handle = (case.points[[point, 0]], case.points[[point, 1]]);
    let (dx, dy) = (target.0 - handle.0, target.1 - handle.1);
    let length = dx.hypot(dy);
    let mut omega = disc(case, handle, r1);
    if omega.is_empty() {
        let from_handle = |q: &(f64, f64)| (q.0 - handle.0).hypot(q.1 - handle.1);
        omega.extend(
            disc(case, handle, f64::INFINITY).into_iter().min_by(|a, b| from_handle(a).total_cmp(&from_handle(b))),
        );
    }
    if length < 1.0 {
        omega.clear();
    }
    let moved = omega.iter().map(|q| (q.0 + dx / length, q.1 + dy / length));
    (points(omega.iter().copied()), points(moved))
}

proptest! {
    /// `<gradient, x> = sum_k y_k <F^(q_k + d)>(x)` for any x, where `y = -sign / terms` comes from the features alone.
    /// Tolerance: for each point up to 54 products of at most 4, each with a few float32 roundings (6e-8).
    #[test]
    fn the_gradient_is_the_transpose(
        (case, probe) in case(POINTS).prop_flat_map(|case| {
            let probe = values(case.features.len());
            (Just(case), probe)
        }),
        steps in prop::collection::vec((-9.0..9.0, -9.0..9.0), POINTS),
        r1 in 0.8..3.0,
    ) {
        let targets = Array2::from_shape_fn((POINTS, 2), |(n, axis)| {
            let (x, y): (f64, f64) = steps[n];
            case.points[[n, axis]] + [x, y][axis]
        });
        let probe = Array4::from_shape_vec(case.features.dim(), probe).expect("as many values");
        let mut grad = Array4::zeros(case.features.dim());
        let losses = supervised(&case, &targets, r1, &mut grad);

        let mut forward = 0.0;
        for point in 0..POINTS {
            let (omega, moved) = pairs(&case, point, (targets[[point, 0]], targets[[point, 1]]), r1);
            if omega.is_empty() {
                prop_assert!(losses[point].abs() == 0.0);
                continue;
            }
            let plan = |read: &Array2<f64>| {
                let count = i64::try_from(read.nrows()).expect("few");
                WindowPlan::whole(signed(case.feature_size), signed(case.image_size), count).expect("positive sizes")
            };
            let read = |features: &Array4<f32>, at: &Array2<f64>| {
                sample(features.view(), &plan(at), at.view()).expect("whole map")
            };
            let terms = read(&case.features, &omega) - read(&case.features, &moved);
            // A term that is zero by definition, as at a repeated border, has no sign on either side.
            prop_assume!(terms.iter().all(|term| term.abs() > ROUNDING || *term == 0.0));
            let signs = terms.mapv(|term| if term == 0.0 { 0.0 } else { -term.signum() / terms.len() as f32 });
            forward += dot(&signs, &read(&probe, &moved));
        }
        let backward = dot(&grad, &probe);
        prop_assert!((forward - backward).abs() < 2e-5, "{forward} != {backward}");
    }

    /// A gradient on top of another is their sum: the kernel adds.
    #[test]
    fn the_gradient_adds(case in case(1), step in (-9.0..9.0, -9.0..9.0), r1 in 0.8..3.0) {
        let targets = &case.points + &ndarray::array![[step.0, step.1]];
        let mut once = Array4::zeros(case.features.dim());
        let first = supervised(&case, &targets, r1, &mut once);
        let mut sum = case.features.clone();
        prop_assert_eq!(supervised(&case, &targets, r1, &mut sum), first);
        for ((sum, before), once) in sum.iter().zip(&case.features).zip(&once) {
            // One cell may be added to by every column that reads it, so rounding differs by a few units of 2.
            prop_assert!((sum - (before + once)).abs() <= 4e-6);
        }
    }
}
