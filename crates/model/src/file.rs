//! Files that the lake keeps without looking into them.

use crate::Digest;

/// A file of any kind, kept byte for byte under the name that it had.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RegisteredFile {
    /// Names it: the same bytes under the same name have the same id.
    pub file_id: String,
    /// The file's name, or a path from the folder that was given on; parts are joined by `/`.
    pub name: String,
    /// How many bytes.
    pub size_bytes: u64,
    /// BLAKE3 of the bytes.
    pub blake3: Digest,
    /// SHA-256 of the bytes.
    pub sha256: Digest,
}
