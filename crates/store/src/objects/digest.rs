//! Room: disk. Digests of objects, which may be as large as a disk.
//!
//! Invariant: an object is read once, from front to back, and never held whole.
//!
//! Not here: digests of bytes on their way into the store, which are made while they are copied.

use std::{
    fs::File,
    io::{ErrorKind, Read as _},
    path::Path,
};

use sha2::{Digest as _, Sha256};
use tiepoint_model::Digest;

use super::{Objects, io_error, read_error};
use crate::{StoreError, blobs::blob_key};

/// Bytes read at a time.
const PIECE_BYTES: usize = 1 << 20;

impl Objects {
    /// SHA-256 of the bytes of an object.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::BadKey`], [`StoreError::Io`].
    pub async fn sha256(&self, key: &str) -> Result<Digest, StoreError> {
        let (path, key) = (self.path_of(key)?, key.to_owned());
        self.in_background("digest an object", move |_| {
            let mut sha256 = Sha256::new();
            each_piece(&key, &path, &mut |piece| sha256.update(piece))?;
            Ok(Digest(sha256.finalize().into()))
        })
        .await
    }

    /// Checks the bytes of a blob against its name.
    ///
    /// # Errors
    /// [`StoreError::BlobDamaged`], [`StoreError::NotFound`], [`StoreError::Io`].
    pub async fn check_blob(&self, expected: &Digest) -> Result<(), StoreError> {
        let (key, expected) = (blob_key(expected), *expected);
        let path = self.path_of(&key)?;
        self.in_background("digest an object", move |_| {
            let mut blake3 = blake3::Hasher::new();
            each_piece(&key, &path, &mut |piece| {
                blake3.update(piece);
            })?;
            match Digest(*blake3.finalize().as_bytes()) {
                found if found == expected => Ok(()),
                found => Err(StoreError::BlobDamaged { expected, found }),
            }
        })
        .await
    }
}

/// Shows a file from front to back.
fn each_piece(key: &str, path: &Path, show: &mut dyn FnMut(&[u8])) -> Result<(), StoreError> {
    let mut file = File::open(path).map_err(read_error(key, path))?;
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        match file.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(count) => show(&piece[..count]),
            Err(error) if error.kind() == ErrorKind::Interrupted => (),
            Err(error) => return Err(io_error("read", path)(error)),
        }
    }
}
