//! The point arithmetic of `DragGAN` (arXiv 2305.10973), on a feature map that is never resized in memory.
//!
//! # Words
//!
//! `F` is a feature map of shape `[C, fh, fw]`; the image is `H x W`. `F^` is `F` resized to `H x W` by bilinear
//! interpolation with half-pixel centres, then read bilinearly between pixels; outside the image it repeats the
//! border. Points are `(x, y)` in image pixels, `f64`, pixel centres at integers.
//!
//! Every kernel reads the few cells of `F` that it needs. They may come as the whole map or as windows of it,
//! which a [`WindowPlan`] describes.
//!
//! # Gradients
//!
//! The paper's losses are piecewise linear in `F`, so each kernel knows its gradient in closed form. A kernel
//! **adds** it to a buffer that the caller owns, so that several terms sum in place.
//!
//! # Bits
//!
//! Results are the same to the bit with any number of threads and with whatever vectors the processor has.

#![forbid(unsafe_code)]
// What runs in vectors must be inlined into the function that enables their instructions.
#![allow(clippy::inline_always)]

mod error;
mod grid;
mod lanes;
mod mask_penalty;
mod motion_supervision;
mod patch;
mod point_tracking;
mod sampling;
mod threads;
mod window_plan;

pub use error::{Cells, Error};
pub use mask_penalty::{MaskPlan, mask_penalty};
pub use motion_supervision::motion_supervision;
pub use point_tracking::{Distance, Search, point_tracking};
pub use sampling::sample;
pub use threads::Threads;
pub use window_plan::WindowPlan;
