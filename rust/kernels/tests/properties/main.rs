//! What must hold for every map, window and point.

mod adjoint;
mod gradients;
mod maps;
mod refusals;
mod windows;
