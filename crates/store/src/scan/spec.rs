//! The description of a scan, as bytes that another machine can run.
//!
//! Invariant: `from_bytes(to_bytes(x)) == x`; damaged or foreign bytes are refused, never guessed.
//! Form: `TPLS`, a format byte, then little-endian numbers; text and lists after a `u32` count;
//! the columns as an Arrow IPC stream without batches.

use std::sync::Arc;

use arrow::{
    datatypes::{Schema, SchemaRef},
    ipc::{reader::StreamReader, writer::StreamWriter},
};

use crate::StoreError;

const MAGIC: &[u8; 4] = b"TPLS";
const FORMAT_VERSION: u8 = 1;

/// What one [`super::LakeScan`] reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LakeScanSpec {
    /// The ledger position of the head that named the version.
    pub ledger_position: u64,
    /// The table.
    pub table: String,
    /// Its version.
    pub version: u64,
    /// Fragment ids per partition.
    pub partitions: Vec<Vec<u64>>,
    /// The columns to give, in order.
    pub schema: SchemaRef,
    /// Columns that must equal a text, by name; they need not be among `schema`.
    pub equals: Vec<(String, String)>,
    /// If set, rows whose `label` is not among them are not there, for a table with that column.
    pub allowed_labels: Option<Vec<String>>,
}

impl LakeScanSpec {
    /// Deals fragments to at most `partition_count` partitions of about equal rows, in order.
    ///
    /// `fragments` are ids and row counts. There is at least one partition.
    #[must_use]
    pub fn deal(fragments: &[(u64, u64)], partition_count: usize) -> Vec<Vec<u64>> {
        let count = partition_count.min(fragments.len()).max(1);
        let total: u64 = fragments.iter().map(|(_, rows)| rows.max(&1)).sum();
        let mut partitions = vec![Vec::new(); count];
        let mut before = 0;
        for (id, rows) in fragments {
            // The partition in which the fragment's first row falls; never above the last.
            let index = u128::from(before) * count as u128 / u128::from(total.max(1));
            partitions[usize::try_from(index).map_or(count - 1, |i| i.min(count - 1))].push(*id);
            before += rows.max(&1);
        }
        partitions.retain(|partition| !partition.is_empty());
        if partitions.is_empty() {
            partitions.push(Vec::new());
        }
        partitions
    }

    /// The description as bytes.
    ///
    /// # Errors
    /// [`StoreError::Arrow`], or [`StoreError::BadScanSpec`] if a count exceeds a `u32`.
    pub fn to_bytes(&self) -> Result<Vec<u8>, StoreError> {
        let mut out = MAGIC.to_vec();
        out.push(FORMAT_VERSION);
        out.extend_from_slice(&self.ledger_position.to_le_bytes());
        put_text(&mut out, &self.table)?;
        out.extend_from_slice(&self.version.to_le_bytes());
        put_count(&mut out, self.partitions.len())?;
        for partition in &self.partitions {
            put_count(&mut out, partition.len())?;
            partition.iter().for_each(|id| out.extend_from_slice(&id.to_le_bytes()));
        }
        put_count(&mut out, self.equals.len())?;
        for (name, value) in &self.equals {
            put_text(&mut out, name)?;
            put_text(&mut out, value)?;
        }
        out.push(u8::from(self.allowed_labels.is_some()));
        if let Some(labels) = &self.allowed_labels {
            put_count(&mut out, labels.len())?;
            labels.iter().try_for_each(|label| put_text(&mut out, label))?;
        }
        let mut writer = StreamWriter::try_new(Vec::new(), &self.schema)?;
        writer.finish()?;
        let schema = writer.into_inner()?;
        put_count(&mut out, schema.len())?;
        out.extend_from_slice(&schema);
        Ok(out)
    }

    /// The description from its bytes.
    ///
    /// # Errors
    /// [`StoreError::BadScanSpec`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StoreError> {
        let mut reader = Reader(bytes);
        if reader.take(MAGIC.len())? != MAGIC {
            return Err(StoreError::BadScanSpec { what: "it does not begin with `TPLS`" });
        }
        if reader.take(1)? != [FORMAT_VERSION] {
            return Err(StoreError::BadScanSpec { what: "another format version" });
        }
        let ledger_position = reader.number()?;
        let table = reader.text()?;
        let version = reader.number()?;
        let partitions = reader.many(|reader| reader.many(Reader::number))?;
        let equals = reader.many(|reader| Ok((reader.text()?, reader.text()?)))?;
        let allowed_labels = match reader.take(1)? {
            [0] => None,
            [1] => Some(reader.many(Reader::text)?),
            _ => return Err(StoreError::BadScanSpec { what: "labels are neither set nor unset" }),
        };
        let schema = reader.schema()?;
        if !reader.0.is_empty() {
            return Err(StoreError::BadScanSpec { what: "bytes follow its end" });
        }
        Ok(Self { ledger_position, table, version, partitions, schema, equals, allowed_labels })
    }
}

fn put_count(out: &mut Vec<u8>, count: usize) -> Result<(), StoreError> {
    let count =
        u32::try_from(count).map_err(|_| StoreError::BadScanSpec { what: "it is too large" })?;
    out.extend_from_slice(&count.to_le_bytes());
    Ok(())
}

fn put_text(out: &mut Vec<u8>, text: &str) -> Result<(), StoreError> {
    put_count(out, text.len())?;
    out.extend_from_slice(text.as_bytes());
    Ok(())
}

/// What is left of the bytes.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], StoreError> {
        let short = StoreError::BadScanSpec { what: "it ends early" };
        let (taken, rest) = self.0.split_at_checked(count).ok_or(short)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], StoreError> {
        let taken = self.take(N)?;
        taken.try_into().map_err(|_| StoreError::BadScanSpec { what: "it ends early" })
    }

    fn number(&mut self) -> Result<u64, StoreError> {
        self.array().map(u64::from_le_bytes)
    }

    fn count(&mut self) -> Result<usize, StoreError> {
        let count = u32::from_le_bytes(self.array()?);
        usize::try_from(count).map_err(|_| StoreError::BadScanSpec { what: "it is too large" })
    }

    fn text(&mut self) -> Result<String, StoreError> {
        let count = self.count()?;
        let text = String::from_utf8(self.take(count)?.to_vec());
        text.map_err(|_| StoreError::BadScanSpec { what: "a text is not UTF-8" })
    }

    /// A counted list. Memory grows with the bytes that are there, not with the count they claim.
    fn many<T>(
        &mut self,
        mut one: impl FnMut(&mut Self) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        (0..self.count()?).map(|_| one(self)).collect()
    }

    fn schema(&mut self) -> Result<SchemaRef, StoreError> {
        let count = self.count()?;
        let bytes = self.take(count)?;
        let damaged = |_| StoreError::BadScanSpec { what: "its columns cannot be read" };
        let reader = StreamReader::try_new(bytes, None).map_err(damaged)?;
        Ok(Arc::new(Schema::clone(&reader.schema())))
    }
}
