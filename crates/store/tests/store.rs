//! The laws of the lake, on a real folder. One binary, because each one links the table engine.

#![expect(clippy::unwrap_used, reason = "a test stops at what it does not expect")]

#[path = "store/compaction.rs"]
mod compaction;
#[path = "store/content.rs"]
mod content;
#[path = "store/objects.rs"]
mod objects;
#[path = "store/query.rs"]
mod query;
#[path = "store/rows.rs"]
mod rows;
#[path = "store/scan.rs"]
mod scan;
#[path = "store/tables.rs"]
mod tables;
