//! Sans-I/O readers and writers of the field's formats, to and from Arrow batches.
//!
//! Bytes are fed in and typed samples come out, the same for every container ([`Reader`]), or a
//! path is opened and gives the same ([`LogReader`]); samples become Arrow batches and come back
//! ([`columns`]), or become an MCAP file ([`write_mcap`], [`McapExport`]).
//!
//! Invariant: only what lies in `source` opens files, nothing asks a clock or draws a random number, and
//! no input, however damaged, makes anything panic or allocate more than its [`Limits`].
//! Metres, radians, seconds; times are integer nanoseconds since the Unix epoch.
//!
//! Not here: where recordings lie, digests, quality checks, and the lake.

pub mod calibration;
pub mod cloud;
pub mod columns;
mod container;
mod convert;
mod damage;
mod error;
pub mod image;
mod mcap_writer;
mod message;
mod payload;
mod pose;
mod reader;
mod samples;
mod source;
pub mod tabular;

pub use container::trajectory::{TrajectoryFormat, read_trajectory, write_tum};
pub use convert::{
    BeaconPosition, ConvertError, ConvertOptions, Converted, GroundTruthLayout,
    convert_rawlog_to_mcap,
};
pub use damage::{Damage, Loss};
pub use error::{DecodeError, ReadError};
pub use mcap_writer::{
    ExportChannel, McapExport, WriteError, recording_metadata, signals_definition, write_mcap,
};
pub use payload::{PayloadError, Payloads};
pub use reader::{ChannelSummary, Container, Definition, Limits, Reader, Summary, read_all};
pub use samples::{ChannelKey, Samples, Table, TopicBatch, UnknownTable};
pub use source::{LogReader, NamedFile, PayloadReader, files_below, open_original};
