//! Bytes kept under the name of their own BLAKE3 digest: originals, models, reports.
//!
//! Invariant: a blob's name is its content, so storing it twice is storing it once.
//! A blob lies at `blobs/<first two hexadecimal digits>/<64 digits>`; both digests are of all of
//! its bytes.
//!
//! Not here: who refers to a blob (the ledger), and taking blobs away (the sweep).

use std::{
    io::{ErrorKind, Read, Seek, Write},
    path::Path,
};

use sha2::{Digest as _, Sha256};
use tiepoint_model::Digest;

use crate::{Objects, PutOutcome, StoreError};

/// Bytes moved at a time; a blob is never held whole.
const CHUNK_BYTES: usize = 1 << 20;

/// Names a blob, in both hash functions that others ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlobId {
    /// BLAKE3 of the bytes: the blob's name here.
    pub blake3: Digest,
    /// SHA-256 of the bytes: what other people's tools print.
    pub sha256: Digest,
    /// How many bytes.
    pub size_bytes: u64,
}

/// A blob open for reading at any place.
pub trait BlobReader: Read + Seek + Send {}
impl<T: Read + Seek + Send> BlobReader for T {}

/// The key under which a blob lies.
#[must_use]
pub fn blob_key(blake3: &Digest) -> String {
    let name = blake3.to_string();
    format!("blobs/{}/{name}", &name[..2])
}

impl Objects {
    /// Streams bytes into a blob. Storing the same bytes again changes nothing.
    ///
    /// # Errors
    /// [`StoreError::Source`] if `bytes` cannot be read, [`StoreError::Io`].
    pub async fn put_blob(
        &self,
        mut bytes: impl Read + Send + 'static,
    ) -> Result<(BlobId, PutOutcome), StoreError> {
        let (outcome, id) = self
            .put_stream(move |file| {
                let id = copy_and_hash(&mut bytes, file)?;
                Ok((blob_key(&id.blake3), id))
            })
            .await?;
        Ok((id, outcome))
    }

    /// Streams bytes whose BLAKE3 is known into a blob; other bytes leave nothing. SHA-256, which
    /// costs several times as much, is not asked for again.
    ///
    /// # Errors
    /// [`StoreError::BlobDamaged`] if the bytes are others, [`StoreError::Source`] if they cannot be
    /// read, [`StoreError::Io`].
    pub async fn put_known_blob(
        &self,
        mut bytes: impl Read + Send + 'static,
        expected: Digest,
    ) -> Result<PutOutcome, StoreError> {
        let (outcome, ()) = self
            .put_stream(move |file| {
                let mut blake3 = blake3::Hasher::new();
                each_chunk(&mut bytes, &mut |chunk| {
                    blake3.update(chunk);
                    file.write_all(chunk)
                })?;
                match Digest(*blake3.finalize().as_bytes()) {
                    found if found == expected => Ok((blob_key(&expected), ())),
                    found => Err(StoreError::BlobDamaged { expected, found }),
                }
            })
            .await?;
        Ok(outcome)
    }

    /// The bytes of a blob, checked against its name.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::BlobDamaged`], [`StoreError::Io`].
    pub async fn get_blob(&self, expected: &Digest) -> Result<Vec<u8>, StoreError> {
        let bytes = self.get(&blob_key(expected)).await?;
        let found = Digest(*blake3::hash(&bytes).as_bytes());
        if found != *expected {
            return Err(StoreError::BlobDamaged { expected: *expected, found });
        }
        Ok(bytes)
    }

    /// A blob open for reading at any place; the bytes are not checked against the name.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Io`].
    pub fn open_blob(&self, blake3: &Digest) -> Result<Box<dyn BlobReader>, StoreError> {
        Ok(Box::new(self.open_file(&blob_key(blake3))?))
    }
}

/// What bytes would be called as a blob; nothing is stored.
///
/// # Errors
/// [`StoreError::Source`] if they cannot be read.
pub fn blob_id(bytes: &mut dyn Read) -> Result<BlobId, StoreError> {
    copy_and_hash(bytes, &mut std::io::sink())
}

/// SHA-256 takes as long as the other hash and the writing together, so they go side by side.
fn copy_and_hash(from: &mut dyn Read, to: &mut (dyn Write + Send)) -> Result<BlobId, StoreError> {
    let (mut blake3, mut sha256) = (blake3::Hasher::new(), Sha256::new());
    let size_bytes = each_chunk(from, &mut |chunk| {
        let copy = || {
            blake3.update(chunk);
            to.write_all(chunk)
        };
        rayon::join(|| sha256.update(chunk), copy).1
    })?;
    let (blake3, sha256) = (*blake3.finalize().as_bytes(), sha256.finalize().into());
    Ok(BlobId { blake3: Digest(blake3), sha256: Digest(sha256), size_bytes })
}

/// Reads to the end and gives each piece to be copied; answers with how many bytes there were.
fn each_chunk(
    from: &mut dyn Read,
    copy: &mut dyn FnMut(&[u8]) -> std::io::Result<()>,
) -> Result<u64, StoreError> {
    let mut size_bytes = 0_u64;
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let count = match from.read(&mut chunk) {
            Ok(0) => return Ok(size_bytes),
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            count => count.map_err(StoreError::Source)?,
        };
        let refuse = |source| StoreError::of_io("write", Path::new("blobs"), source);
        copy(&chunk[..count]).map_err(refuse)?;
        size_bytes += count as u64;
    }
}
