//! Each refusal is one sentence that names what was expected and what came.

use dragonnx_kernels::{Error, MaskPlan, Threads, WindowPlan, mask_penalty, motion_supervision, sample};
use ndarray::{Array2, Array3, Array4, array};

use crate::maps::caller;

/// One window of 4 x 4 cells in a map of 8 x 8.
fn window(origin: (i64, i64), index: i64) -> Result<WindowPlan, Error> {
    sized(origin, (4, 4), (8, 8), (32, 32), index)
}

fn sized(
    (x, y): (i64, i64),
    window_size: (i64, i64),
    feature_size: (i64, i64),
    image_size: (i64, i64),
    index: i64,
) -> Result<WindowPlan, Error> {
    WindowPlan::new(array![[x, y]].view(), window_size, feature_size, image_size, array![index].view())
}

fn message<T>(result: Result<T, Error>) -> String {
    result.map(|_| ()).expect_err("a refusal").to_string()
}

#[test]
fn sizes_and_windows() {
    assert_eq!(
        message(WindowPlan::whole((0, 8), (32, 32), 1)),
        "feature_size must be (height, width), both at least 1, got (0, 8)"
    );
    assert_eq!(
        message(sized((0, 0), (4, -4), (8, 8), (32, 32), 0)),
        "window_size must be (height, width), both at least 1, got (4, -4)"
    );
    assert_eq!(
        message(window((5, 0), 0)),
        "window 0 of (4, 4) cells (height, width) at origin (5, 0) (x, y) must lie inside the feature map of (8, 8) cells"
    );
    assert_eq!(message(window((0, 0), 1)), "window_index of point 0 must be one of the 1 windows, got 1");
    let origins = WindowPlan::new(Array2::zeros((2, 3)).view(), (4, 4), (8, 8), (32, 32), array![0].view());
    assert_eq!(message(origins), "origins must have shape [2, 2], got [2, 3]");
    assert_eq!(message(WindowPlan::whole((8, 8), (32, 32), -1)), "points must be at least 0, got -1");
}

/// No product of sizes overflows, and no plan takes memory for points that are not there.
#[test]
fn numbers_without_bounds() {
    let huge = i64::MAX;
    assert_eq!(
        message(WindowPlan::whole((8, 8), (huge, 32), 1)),
        "image_size must be (height, width), both at most 16384, got (9223372036854775807, 32)"
    );
    for origin in [(huge, 0), (0, i64::MIN), (-1, 0)] {
        assert!(message(window(origin, 0)).contains("must lie inside the feature map"));
    }
    assert!(message(window((0, 0), i64::MIN)).starts_with("window_index of point 0"));
    let many = WindowPlan::whole((16384, 16384), (1, 1), huge).expect("points that nobody gave");
    let features = Array4::zeros((1, 2, 4, 4));
    assert_eq!(
        message(sample(features.view(), &many, array![[0.0, 0.0]].view())),
        "features must have shape [1, 2, 16384, 16384], got [1, 2, 4, 4]"
    );
    let no_windows = WindowPlan::new(Array2::zeros((0, 2)).view(), (4, 4), (8, 8), (32, 32), array![].view());
    let samples = sample(Array4::zeros((0, 2, 4, 4)).view(), &no_windows.expect("none"), Array2::zeros((0, 2)).view());
    assert_eq!(samples, Ok(Array2::zeros((0, 2))));
}

#[test]
fn masks() {
    assert_eq!(
        message(MaskPlan::new(Array2::default((0, 8)).view(), (4, 4))),
        "mask.shape must be (height, width), both at least 1, got (0, 8)"
    );
    assert_eq!(
        message(MaskPlan::new(Array2::default((8, 8)).view(), (4, i64::MAX))),
        "feature_size must be (height, width), both at most 16384, got (4, 9223372036854775807)"
    );
}

#[test]
fn threads() {
    for count in [0, -1, i64::MIN] {
        assert_eq!(message(Threads::new(Some(count))), format!("count must be at least 1 thread, got {count}"));
    }
}

#[test]
fn points() {
    let (features, plan) = (Array4::zeros((1, 2, 4, 4)), window((4, 4), 0).expect("in the map"));
    let sampled = |x, y| sample(features.view(), &plan, array![[x, y]].view()).map(|_| ());
    assert_eq!(
        message(sampled(10.0, 31.0)),
        "point 0 needs feature cells x 2..=3, y 7..=7, but its window has x 4..=7, y 4..=7"
    );
    assert_eq!(message(sampled(f64::NAN, 1.0)), "points must be finite, got (NaN, 1) at point 0");
    // The border of the map repeats, so its last cells suffice however far the point is.
    assert_eq!(sampled(1e300, 1e300), Ok(()));
}

#[test]
fn radii_and_weights() {
    let (features, plan) = (Array4::zeros((1, 2, 4, 4)), window((0, 0), 0).expect("in the map"));
    let mut grad = Array4::zeros(features.dim());
    let points = array![[2.0, 2.0]];
    for r1 in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let losses =
            motion_supervision(features.view(), &plan, points.view(), points.view(), r1, grad.view_mut(), &caller());
        let message = message(losses);
        assert!(message.starts_with("r1 must be a positive, finite number of pixels, got"), "{message}");
    }
    let map = Array3::zeros((2, 4, 4));
    let mut grad = map.clone();
    let plan = MaskPlan::new(Array2::default((8, 8)).view(), (4, 4)).expect("positive sizes");
    let loss = mask_penalty(map.view(), map.view(), &plan, -1.0, grad.view_mut(), &caller());
    assert_eq!(message(loss), "weight must be finite and not negative, got -1");
}
