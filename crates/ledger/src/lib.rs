//! The commit log: makes and checks the bytes of entries, checkpoints, proofs and signatures.
//!
//! Invariant: nothing here touches a disk, a clock or a random source.
//! Salts, keys and times are arguments; bytes go out to be stored and come in to be checked.
//! Bytes that were hashed or signed are checked as they were read.
//!
//! Not here: where objects lie, who retries a lost race, and what a verb means.

pub mod body;
mod canonical;
pub mod checkpoint;
mod columns;
pub mod commit;
mod decimal;
pub mod dsse;
pub mod entry;
mod error;
pub mod excerpts;
pub mod key;
pub mod lineage;
pub mod merkle;
pub mod note;
pub mod projection;
pub mod proof;
pub mod replay;
pub mod statement;
pub mod tiles;
pub mod witness;

pub use body::{
    Body, BodyView, Links, SealedBody, bodies_path, join_bodies, open_bodies, split_bodies,
};
pub use checkpoint::Checkpoint;
pub use commit::{
    commit_lines, commit_path, decode_commit, decode_commit_lines, encode_commit,
    first_index_of_path,
};
pub use dsse::Envelope;
pub use entry::Entry;
pub use error::LedgerError;
pub use excerpts::{ExcerptEdges, ExcerptGraph};
pub use key::{SigningKey, VerifyingKey};
pub use lineage::Lineage;
pub use merkle::{CompactRange, ConsistencyProof, InclusionProof, Tree};
pub use note::Note;
pub use projection::Projection;
pub use proof::{EntryProof, GrowthProof};
pub use replay::State;
pub use statement::{Statement, Subject};
pub use tiles::{Edge, Row, Tile, TiledTree};
pub use witness::{WitnessKey, WitnessSigningKey, expect_growth};
