//! Each kernel at the sizes of a drag: 256 channels, a 128 x 128 feature map, a 512 x 512 image.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use dragonnx_kernels::{
    Distance, MaskPlan, Search, Threads, WindowPlan, mask_penalty, motion_supervision, point_tracking, sample,
};
use ndarray::{Array2, Array3, Array4, Axis, array, s};

const CHANNELS: usize = 256;
const FEATURES: usize = 128;
const IMAGE: i64 = 512;

/// Neither smooth nor random: the kernels' cost does not depend on the values, but denormals and zeros would lie.
fn features(windows: usize, size: usize) -> Array4<f32> {
    Array4::from_shape_fn((windows, CHANNELS, size, size), |(n, c, y, x)| {
        let phase = (n * 7 + c * 13 + y * 29 + x * 31) as f32;
        (phase * 0.37).sin() + 0.1
    })
}

/// One point in the middle of the map, which is given whole or as a window of 20 cells.
fn plan(size: usize) -> WindowPlan {
    let (origin, cells) = (((FEATURES - size) / 2) as i64, size as i64);
    let (origins, map, image) = (array![[origin, origin]], (FEATURES as i64, FEATURES as i64), (IMAGE, IMAGE));
    WindowPlan::new(origins.view(), (cells, cells), map, image, array![0].view()).expect("inside the map")
}

fn handle() -> Array2<f64> {
    Array2::from_shape_vec((1, 2), vec![256.0, 255.0]).expect("two numbers")
}

fn sampling(c: &mut Criterion) {
    let (features, plan, points) = (features(1, 20), plan(20), handle() + 0.3);
    c.bench_function("sample", |b| {
        b.iter(|| sample(black_box(features.view()), &plan, points.view()));
    });
}

fn supervision(c: &mut Criterion) {
    let mut group = c.benchmark_group("motion_supervision");
    let threads = Threads::new(None).expect("all cores");
    for (name, size) in [("window", 20), ("whole", FEATURES)] {
        let (features, plan, handles) = (features(1, size), plan(size), handle());
        let mut grad = Array4::zeros(features.dim());
        let targets = &handles + 40.5;
        for r1 in [3.0, 6.0] {
            group.bench_function(BenchmarkId::new(name, r1), |b| {
                b.iter(|| {
                    motion_supervision(
                        black_box(features.view()),
                        &plan,
                        handles.view(),
                        targets.view(),
                        r1,
                        grad.view_mut(),
                        &threads,
                    )
                });
            });
        }
    }
}

fn tracking(c: &mut Criterion) {
    let mut group = c.benchmark_group("point_tracking");
    let threads = Threads::new(None).expect("all cores");
    for (name, size) in [("window", 20), ("whole", FEATURES)] {
        let (features, plan, handles) = (features(1, size), plan(size), handle());
        let reference = sample(features.view(), &plan, (&handles + 2.5).view()).expect("inside the window");
        for distance in [Distance::L1, Distance::L2] {
            let search = Search { r2: 12.0, inclusive: false, distance };
            group.bench_function(BenchmarkId::new(name, format!("{distance:?}")), |b| {
                b.iter(|| {
                    point_tracking(
                        black_box(features.view()),
                        &plan,
                        handles.view(),
                        reference.view(),
                        search,
                        &threads,
                    )
                });
            });
        }
    }
}

fn penalty(c: &mut Criterion) {
    let mut group = c.benchmark_group("mask_penalty");
    group.sample_size(20);
    let threads = Threads::new(None).expect("all cores");
    let now: Array3<f32> = features(1, FEATURES).index_axis_move(Axis(0), 0);
    let start = now.map(|value| value * 0.99 + 0.01);
    let mut grad = Array3::zeros(now.dim());
    // The movable part is a square of a quarter of the image, as a user would paint it.
    for (name, image) in [("512", 512), ("500, uneven", 500), ("1024", 1024)] {
        let mut mask = Array2::from_elem((image, image), false);
        mask.slice_mut(s![image / 4..image * 3 / 4, image / 4..image * 3 / 4]).fill(true);
        let plan = MaskPlan::new(mask.view(), (FEATURES as i64, FEATURES as i64)).expect("positive sizes");
        group.throughput(Throughput::Elements((CHANNELS * image * image) as u64));
        group.bench_function(name, |b| {
            b.iter(|| mask_penalty(black_box(now.view()), start.view(), &plan, 20.0, grad.view_mut(), &threads));
        });
    }
}

/// Eight points on the whole map of a 1024 x 1024 image, with the radii that suit it.
fn many_points(c: &mut Criterion) {
    let map = FEATURES as i64;
    let (features, plan) = (features(1, FEATURES), WindowPlan::whole((map, map), (1024, 1024), 8).expect("sizes"));
    let handles = Array2::from_shape_fn((8, 2), |(n, axis)| 200.0 + (n * [83, 71][axis]) as f64);
    let (targets, mut grad) = (&handles + 40.5, Array4::zeros(features.dim()));
    let reference = sample(features.view(), &plan, (&handles + 2.5).view()).expect("whole map");
    let search = Search { r2: 24.0, inclusive: false, distance: Distance::L1 };
    let mut group = c.benchmark_group("1024 px, 8 points");
    for count in [1, 2] {
        let threads = Threads::new(Some(count)).expect("few threads");
        group.bench_function(BenchmarkId::new("motion_supervision", count), |b| {
            b.iter(|| {
                motion_supervision(
                    black_box(features.view()),
                    &plan,
                    handles.view(),
                    targets.view(),
                    6.0,
                    grad.view_mut(),
                    &threads,
                )
            });
        });
        group.bench_function(BenchmarkId::new("point_tracking", count), |b| {
            b.iter(|| {
                point_tracking(black_box(features.view()), &plan, handles.view(), reference.view(), search, &threads)
            });
        });
    }
}

criterion_group!(benches, sampling, supervision, tracking, many_points, penalty);
criterion_main!(benches);
