//! Systems under test: a localiser on beacon ranges and an odometry from scans.
//!
//! Invariant: a system takes recorded sample types and cannot know whether they are real or
//! simulated.
//! They are the things that are tested, frozen at deployed settings; they are not the product.
//! Samples that are missing are skipped and counted; a state that is not finite is an error.

pub mod range_filter;
pub mod scan_to_scan;

pub use range_filter::{RangeFilterInput, RangeFilterOptions, RangeFilterOutput, range_filter};
pub use scan_to_scan::{ScanMotion, ScanToScanInput, ScanToScanOutput, scan_to_scan};
