//! A window gives exactly what the whole map gives, or an error.

use dragonnx_kernels::{Distance, Error, Search, motion_supervision, point_tracking, sample};
use ndarray::{Array4, s};
use proptest::prelude::*;

use crate::maps::{CHANNELS, Case, caller, case};

/// A case and a window of its map: origin (x, y) and size (height, width).
fn windowed() -> impl Strategy<Value = (Case, (usize, usize), (usize, usize))> {
    case(1).prop_flat_map(|case| {
        let (fh, fw) = case.feature_size;
        (Just(case), 0..fw, 0..fh)
            .prop_flat_map(move |(case, x, y)| (Just(case), Just((x, y)), (1..=fh - y, 1..=fw - x)))
    })
}

/// Both bit for bit the same, or the window too small.
fn same<T: PartialEq + std::fmt::Debug>(
    whole: Result<T, Error>,
    window: Result<T, Error>,
) -> Result<(), TestCaseError> {
    match window {
        Err(Error::OutsideWindow { point: 0, need, have }) => {
            let inside = |need: (usize, usize), have: (usize, usize)| have.0 <= need.0 && need.1 <= have.1;
            prop_assert!(!(inside(need.x, have.x) && inside(need.y, have.y)));
        }
        window => prop_assert_eq!(whole, window),
    }
    Ok(())
}

proptest! {
    #[test]
    fn sampling((case, origin, size) in windowed()) {
        let (windows, crop) = (case.windows(origin, size), case.crop(origin, size));
        same(
            sample(case.features.view(), &case.whole(), case.points.view()),
            sample(crop.view(), &windows, case.points.view()),
        )?;
    }

    #[test]
    fn supervision((case, origin, size) in windowed(), r1 in 0.2..3.0, step in (-9.0..9.0, -9.0..9.0)) {
        let targets = &case.points + &ndarray::array![[step.0, step.1]];
        let (windows, crop) = (case.windows(origin, size), case.crop(origin, size));
        let mut whole_grad = Array4::zeros(case.features.dim());
        let whole = motion_supervision(
            case.features.view(), &case.whole(), case.points.view(), targets.view(), r1, whole_grad.view_mut(), &caller(),
        );
        let mut grad = Array4::zeros(crop.dim());
        let window =
            motion_supervision(crop.view(), &windows, case.points.view(), targets.view(), r1, grad.view_mut(), &caller());
        let refused = window.is_err();
        same(whole, window)?;
        if refused {
            prop_assert!(grad.iter().all(|value| *value == 0.0));
        } else {
            let mut outside = whole_grad.clone();
            let ((x, y), (height, width)) = (origin, size);
            outside.slice_mut(s![.., .., y..y + height, x..x + width]).fill(0.0);
            prop_assert!(outside.iter().all(|value| *value == 0.0));
            prop_assert_eq!(whole_grad.slice(s![.., .., y..y + height, x..x + width]), grad);
        }
    }

    #[test]
    fn tracking((case, origin, size) in windowed(), r2 in 0.2..6.0, inclusive: bool, squared: bool) {
        let distance = if squared { Distance::L2 } else { Distance::L1 };
        let search = Search { r2, inclusive, distance };
        let reference = ndarray::Array2::from_elem((1, CHANNELS), 0.25);
        let (windows, crop) = (case.windows(origin, size), case.crop(origin, size));
        same(
            point_tracking(case.features.view(), &case.whole(), case.points.view(), reference.view(), search, &caller()),
            point_tracking(crop.view(), &windows, case.points.view(), reference.view(), search, &caller()),
        )?;
    }
}
