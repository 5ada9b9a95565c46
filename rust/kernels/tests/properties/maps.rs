//! Feature maps, windows and points to try.

use dragonnx_kernels::{Threads, WindowPlan};
use ndarray::{Array1, Array2, Array4, array, s};
use proptest::prelude::*;

pub const CHANNELS: usize = 2;

/// A whole map with some points on it, and one window for all of them that may be smaller.
#[derive(Clone, Debug)]
pub struct Case {
    pub feature_size: (usize, usize),
    pub image_size: (usize, usize),
    /// `[1, C, fh, fw]`
    pub features: Array4<f32>,
    /// `[n, 2]`, (x, y); a little outside the image too.
    pub points: Array2<f64>,
}

impl Case {
    /// The whole map as one window.
    pub fn whole(&self) -> WindowPlan {
        let points = i64::try_from(self.points.nrows()).expect("few");
        WindowPlan::whole(signed(self.feature_size), signed(self.image_size), points).expect("positive sizes")
    }

    /// One window of `size` (height, width) at `origin` (x, y), read by every point.
    pub fn windows(&self, origin: (usize, usize), size: (usize, usize)) -> WindowPlan {
        let (x, y) = signed(origin);
        let index = Array1::zeros(self.points.nrows());
        let (features, image) = (signed(self.feature_size), signed(self.image_size));
        WindowPlan::new(array![[x, y]].view(), signed(size), features, image, index.view()).expect("in the map")
    }

    /// The features of such a window.
    pub fn crop(&self, (x, y): (usize, usize), (height, width): (usize, usize)) -> Array4<f32> {
        self.features.slice(s![.., .., y..y + height, x..x + width]).to_owned()
    }
}

/// Scales that are integers, fractions and below one; maps down to a single cell.
pub fn case(points: usize) -> impl Strategy<Value = Case> {
    (1_usize..7, 1_usize..7, 1_usize..20, 1_usize..20).prop_flat_map(move |(fh, fw, height, width)| {
        let x = -3.0..width as f64 + 3.0;
        let y = -3.0..height as f64 + 3.0;
        (values(CHANNELS * fh * fw), prop::collection::vec((x, y), points)).prop_map(move |(values, points)| Case {
            feature_size: (fh, fw),
            image_size: (height, width),
            features: Array4::from_shape_vec((1, CHANNELS, fh, fw), values).expect("as many values as cells"),
            points: Array2::from_shape_fn((points.len(), 2), |(n, axis)| [points[n].0, points[n].1][axis]),
        })
    })
}

/// The calling thread alone.
pub fn caller() -> Threads {
    Threads::new(Some(1)).expect("no pool to start")
}

/// A pair of sizes as the plans take it.
pub fn signed(pair: (usize, usize)) -> (i64, i64) {
    (i64::try_from(pair.0).expect("small"), i64::try_from(pair.1).expect("small"))
}

pub fn values(count: usize) -> impl Strategy<Value = Vec<f32>> {
    prop::collection::vec(-2.0_f32..2.0, count)
}

/// `<a, b>` in double precision.
pub fn dot<'a>(a: impl IntoIterator<Item = &'a f32>, b: impl IntoIterator<Item = &'a f32>) -> f64 {
    a.into_iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

/// The integer pixels of the image nearer than `r1` to a point, by definition.
pub fn disc(case: &Case, (x, y): (f64, f64), r1: f64) -> Vec<(f64, f64)> {
    let (height, width) = case.image_size;
    (0..height)
        .flat_map(|row| (0..width).map(move |column| (column as f64, row as f64)))
        .filter(|q| (q.0 - x).hypot(q.1 - y) < r1)
        .collect()
}

/// Points `[n, 2]` from (x, y) pairs.
pub fn points(points: impl Iterator<Item = (f64, f64)>) -> Array2<f64> {
    let flat: Vec<f64> = points.flat_map(|(x, y)| [x, y]).collect();
    Array2::from_shape_vec((flat.len() / 2, 2), flat).expect("pairs")
}
