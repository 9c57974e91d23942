//! Rows that come piece by piece, written while they come.
//!
//! Invariant: at most [`PIECES_WAITING_MAX`] pieces wait; whoever sends more waits for the disk.
//! What was written is part of no version: it is finished into a [`PendingAppend`], or discarded.

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::{SinkExt as _, StreamExt as _, channel::mpsc};
use tokio::task::JoinHandle;

use super::{PendingAppend, Tables};
use crate::StoreError;

/// Pieces between the reader of a log and the disk.
const PIECES_WAITING_MAX: usize = 2;

const LOST: StoreError = StoreError::TaskLost { action: "write rows" };

/// One append that is being written.
#[derive(Debug)]
pub struct AppendWriter {
    pieces: mpsc::Sender<RecordBatch>,
    /// `None` once its error was told.
    written: Option<JoinHandle<Result<PendingAppend, StoreError>>>,
}

impl Tables {
    /// Begins an append; `at` and `schema` are those of [`Tables::write`].
    #[must_use]
    pub fn begin_append(&self, table: &str, at: u64, schema: SchemaRef) -> AppendWriter {
        let (sender, receiver) = mpsc::channel(PIECES_WAITING_MAX);
        let tables = self.clone();
        let name = table.to_owned();
        let written = tokio::spawn(async move {
            let rows = RecordBatchStreamAdapter::new(schema, receiver.map(Ok));
            tables.write_stream(&name, at, Box::pin(rows)).await
        });
        AppendWriter { pieces: sender, written: Some(written) }
    }

    /// Takes away what an append wrote. For an append that no version has.
    ///
    /// # Errors
    /// [`StoreError::Io`]; what is left is invisible, and the next sweep takes it.
    pub async fn discard(&self, pending: PendingAppend) -> Result<(), StoreError> {
        for path in pending.data_files {
            self.inner.objects.remove_file(path).await?;
        }
        Ok(())
    }
}

impl AppendWriter {
    /// The next rows. Waits while the disk is behind.
    ///
    /// # Errors
    /// What stopped the writing.
    pub async fn send(&mut self, rows: RecordBatch) -> Result<(), StoreError> {
        match self.pieces.send(rows).await {
            Ok(()) => Ok(()),
            // The writer has hung up, so it has an error to tell.
            Err(_) => {
                let written = self.written.take().ok_or(LOST)?;
                let ended = written.await.map_err(|_| LOST)?;
                Err(ended.err().unwrap_or(LOST))
            }
        }
    }

    /// Everything is sent: the append, on disk and synced.
    ///
    /// # Errors
    /// Those of [`Tables::write`].
    pub async fn finish(self) -> Result<PendingAppend, StoreError> {
        let Self { pieces, written } = self;
        drop(pieces);
        written.ok_or(LOST)?.await.map_err(|_| LOST)?
    }
}
