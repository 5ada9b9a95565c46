//! Each refusal is one sentence that names what was expected and what came.

use dragonnx_kernels::{MapSize, Windows, mask_penalty, motion_supervision, sample};
use ndarray::{Array1, Array2, Array3, Array4, array};

fn map() -> MapSize {
    MapSize::new((8, 8), (32, 32)).expect("positive sizes")
}

fn window(origin: (i64, i64), index: i64) -> Result<Windows, dragonnx_kernels::Error> {
    Windows::new([1, 2, 4, 4], array![[origin.0, origin.1]].view(), map(), array![index].view())
}

#[test]
fn sizes_and_windows() {
    assert_eq!(
        MapSize::new((0, 8), (32, 32)).map(|_| ()).expect_err("no rows").to_string(),
        "feature_size must be (height, width), both at least 1, got (0, 8)"
    );
    assert_eq!(
        window((5, 0), 0).map(|_| ()).expect_err("one column too far").to_string(),
        "window 0 of (4, 4) cells (height, width) at origin (5, 0) (x, y) must lie inside the feature map of (8, 8) cells"
    );
    assert_eq!(
        window((0, 0), 1).map(|_| ()).expect_err("one window").to_string(),
        "window_index of point 0 must be one of the 1 windows, got 1"
    );
    let origins = Windows::new([2, 1, 4, 4], Array2::zeros((1, 2)).view(), map(), Array1::zeros(0).view());
    assert_eq!(origins.map(|_| ()).expect_err("two windows").to_string(), "origins must have shape [2, 2], got [1, 2]");
}

#[test]
fn points() {
    let (features, windows) = (Array4::zeros((1, 2, 4, 4)), window((4, 4), 0).expect("in the map"));
    let sampled = |x, y| sample(features.view(), &windows, array![[x, y]].view()).map(|_| ());
    assert_eq!(
        sampled(10.0, 31.0).expect_err("left of the window").to_string(),
        "point 0 needs feature cells x 2..=3, y 7..=7, but its window has x 4..=7, y 4..=7"
    );
    assert_eq!(
        sampled(f64::NAN, 1.0).expect_err("no number").to_string(),
        "points must be finite, got (NaN, 1) at point 0"
    );
    // The border of the map repeats, so its last cells suffice however far the point is.
    assert_eq!(sampled(1e300, 1e300), Ok(()));
}

#[test]
fn radii_and_weights() {
    let (features, windows) = (Array4::zeros((1, 2, 4, 4)), window((0, 0), 0).expect("in the map"));
    let mut grad = Array4::zeros(features.dim());
    let points = array![[2.0, 2.0]];
    for r1 in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let losses = motion_supervision(features.view(), &windows, points.view(), points.view(), r1, grad.view_mut());
        let message = losses.expect_err("not a radius").to_string();
        assert!(message.starts_with("r1 must be a positive, finite number of pixels, got"), "{message}");
    }
    let map = Array3::zeros((2, 4, 4));
    let mut grad = map.clone();
    let loss = mask_penalty(map.view(), map.view(), (8, 8), Array2::default((8, 8)).view(), -1.0, grad.view_mut());
    assert_eq!(loss.expect_err("negative").to_string(), "weight must be finite and not negative, got -1");
}
