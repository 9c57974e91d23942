//! Proofs of the readers, the writer and the columns, on bytes made here.
//!
//! Every random case comes from a printed seed; nothing asks a clock, and only `log_reader`
//! and `payloads` touch a disk.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod bad_input;
mod cloud;
mod columns;
mod convert;
mod damage;
mod export;
mod laws;
mod log_reader;
mod make;
mod messages;
mod payloads;
mod rawlog;
mod ros1_bag;
mod round_trip;
mod sensor_messages;
mod tabular;
mod trajectory;
mod ulog;
