//! Laws that every measure obeys, on random inputs. Failures print the input; the generators are
//! seeded by proptest's own record.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod channel;
mod drift;
mod ranking;
mod sample;
mod scan_and_map;
mod time_offset;
mod trajectory;
mod trajectory_fuzz;
