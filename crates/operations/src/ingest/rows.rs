//! Rows on their way into the lake: one append per table, written while the log is read.
//!
//! Invariant: no more than a few pieces of the log are in memory, and what was written is part of no
//! version until the ledger says so; if the log turns out to be damaged, it is taken away again.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use tiepoint_formats::{Table, columns};
use tiepoint_store::{AppendWriter, PendingAppend, Tables, tables::EMPTY_VERSION};

use crate::Error;

/// The appends of one recording.
pub(super) struct Rows<'a> {
    /// `None` if nothing is to be written.
    tables: Option<&'a Tables>,
    writers: BTreeMap<Table, AppendWriter>,
}

impl<'a> Rows<'a> {
    pub(super) fn new(tables: Option<&'a Tables>) -> Self {
        Self { tables, writers: BTreeMap::new() }
    }

    /// Hands rows to their table's writer; waits while the disk is behind.
    pub(super) async fn add(&mut self, table: Table, rows: RecordBatch) -> Result<(), Error> {
        let Some(tables) = self.tables else { return Ok(()) };
        let writer = self.writers.entry(table).or_insert_with(|| {
            tables.begin_append(table.as_str(), EMPTY_VERSION, columns::schema(table))
        });
        Ok(writer.send(rows).await?)
    }

    /// Everything is added: the appends, on disk and synced.
    pub(super) async fn finish(self) -> Result<Vec<PendingAppend>, Error> {
        let mut appends = Vec::new();
        let mut failed = None;
        for writer in self.writers.into_values() {
            match writer.finish().await {
                Ok(append) => appends.push(append),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        match (failed, self.tables) {
            (Some(error), Some(tables)) => {
                discard(tables, appends).await;
                Err(error.into())
            }
            _ => Ok(appends),
        }
    }

    /// Takes away what was written.
    pub(super) async fn discard(self) {
        let tables = self.tables;
        // What failed to be written leaves nothing to discard; the error that led here is told.
        if let (Ok(appends), Some(tables)) = (Box::pin(self.finish()).await, tables) {
            discard(tables, appends).await;
        }
    }
}

/// What cannot be removed is invisible, and the next sweep takes it.
pub(super) async fn discard(tables: &Tables, appends: Vec<PendingAppend>) {
    for append in appends {
        let _ = tables.discard(append).await;
    }
}
