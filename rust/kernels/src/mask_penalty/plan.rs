//! What a mask fixes, made once: the penalty then does no pass over the mask.

use ndarray::ArrayView2;

use super::phases::Phases;
use super::pixels::Pixels;
use crate::error::Error;
use crate::grid::{Axis, MapSize, Tap, checked_size};

/// Where an image is fixed, as the penalty reads it on a feature map of one size. Made and checked once.
#[derive(Debug)]
pub struct MaskPlan {
    pub(super) size: MapSize,
    pub(super) rows: Vec<FixedRow>,
    pub(super) columns: FixedColumns,
}

/// An image row that holds a fixed pixel: its index and where it reads the feature map.
#[derive(Debug)]
pub(super) struct FixedRow {
    pub index: usize,
    pub tap: Tap,
}

/// The fixed pixels of those rows, as suits the scale along x.
#[derive(Debug)]
pub(super) enum FixedColumns {
    Phases(Phases),
    Pixels(Pixels),
}

impl MaskPlan {
    /// `mask` (M) is `[H, W]`, true where the image may move; `feature_size` the whole map's (height, width).
    ///
    /// # Errors
    ///
    /// When a size is not usable.
    pub fn new(mask: ArrayView2<'_, bool>, feature_size: (i64, i64)) -> Result<Self, Error> {
        Self::with_margin(mask, feature_size, 0)
    }

    /// The same where so many cells on each side of the whole map lie beyond the image, as `StyleGAN3`'s do.
    ///
    /// # Errors
    ///
    /// When a size is not usable, or the margins leave no cell.
    pub fn with_margin(mask: ArrayView2<'_, bool>, feature_size: (i64, i64), margin: i64) -> Result<Self, Error> {
        let features = checked_size("feature_size", feature_size)?;
        let (height, width) = mask.dim();
        let size =
            MapSize::new(features, checked_size("mask.shape", (height as i64, width as i64))?).with_margin(margin)?;
        let rows = fixed_rows(size.y, mask);
        let columns = match Phases::new(size.x, mask, &rows) {
            Some(phases) => FixedColumns::Phases(phases),
            None => FixedColumns::Pixels(Pixels::new(size.x, mask, &rows)),
        };
        Ok(Self { size, rows, columns })
    }

    /// (height, width) of the whole feature map, in cells.
    #[must_use]
    pub fn feature_size(&self) -> (usize, usize) {
        self.size.feature_size()
    }

    /// (height, width) of the image and the mask, in pixels.
    #[must_use]
    pub fn image_size(&self) -> (usize, usize) {
        self.size.image_size()
    }
}

/// Rows that may move everywhere have no part in the loss.
fn fixed_rows(axis: Axis, mask: ArrayView2<'_, bool>) -> Vec<FixedRow> {
    (mask.rows().into_iter().enumerate())
        .filter(|(_, row)| row.iter().any(|may_move| !may_move))
        .map(|(index, _)| FixedRow { index, tap: axis.tap(index as i64) })
        .collect()
}
