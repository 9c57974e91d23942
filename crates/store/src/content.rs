//! Content digest: what a channel says, whatever file, fragment or batch it lies in.
//!
//! The digest is the RFC 6962 root (SHA-256) over leaves of 65,536 rows each, the last one
//! shorter; a channel without rows has one leaf. Rows are in (log time, sequence) order.
//! A leaf is a header and its rows:
//! - header: `u32` number of columns, then per column its name, type, unit and frame, each as
//!   `u32` length and UTF-8 bytes; unit and frame are the column's metadata, empty if absent;
//! - row: per column a presence byte (0 without a value, then nothing; 1 with one) and the value.
//!
//! Types: `int8` to `uint64`, `float16` to `float64`, `bool`, `utf8`, `binary`, `binary[width]`,
//! `timestamp[unit,zone]`, `list<type>`, `list[count]<type>`, and `struct<...>` of fields parted by
//! commas, each its type, then name, unit and frame as `length:text`, parted by spaces.
//!
//! Values: numbers little-endian, NaN as the quiet NaN with no payload and no sign, -0.0 kept;
//! booleans one byte; text and bytes a `u32` length, then the bytes; lists a `u32` count, then a
//! byte that is 1 if an element is missing, then the elements, each after a presence byte only
//! in that case; fixed lists the same; structs their fields as columns.
//!
//! Invariant: equal rows give equal digests for any split into batches, and different rows give
//! different leaves: the encoding can be read back. `utf8` and `large_utf8`, `binary` and
//! `large_binary`, `list` and `large_list` are the same type here.
//!
//! Not here: proofs, and digests of files.

mod columns;

use arrow::{
    array::RecordBatch,
    datatypes::{DataType, Field, Schema},
};
use tiepoint_model::Digest;

use self::columns::ColumnBytes;
use crate::{
    StoreError,
    merkle::{LeafHasher, TreeHasher},
    order::{OrderKey, order_keys},
};

/// Rows in a full leaf.
pub const ROWS_PER_LEAF: u64 = 65_536;

/// Columns that say where a row belongs, not what it says: two recordings with the same samples
/// have the same channel digests.
const PLACE_COLUMNS: [&str; 2] = ["recording_id", "topic"];

/// Encoded rows are hashed when there are this many bytes of them.
const FLUSH_BYTES: usize = 64 << 10;

/// Digests a channel as its batches come. Memory is one row and 64 KiB.
#[derive(Clone, Debug)]
pub struct ContentHasher {
    columns: Vec<Column>,
    header: Vec<u8>,
    leaf: LeafHasher,
    tree: TreeHasher,
    encoded: Vec<u8>,
    row_count: u64,
    last_key: Option<OrderKey>,
}

#[derive(Clone, Debug)]
struct Column {
    name: String,
    data_type: DataType,
}

impl ContentHasher {
    /// Begins a digest over the named columns, in that order.
    ///
    /// # Errors
    /// [`StoreError::MissingColumn`] if the schema lacks one,
    /// [`StoreError::UnsupportedColumn`] if its type has no canonical form.
    pub fn new(schema: &Schema, columns: &[&str]) -> Result<Self, StoreError> {
        let mut header = Vec::new();
        put_length(&mut header, columns.len()).ok_or_else(|| too_long("", 0))?;
        let mut chosen = Vec::with_capacity(columns.len());
        for name in columns {
            let field = schema
                .field_with_name(name)
                .map_err(|_| StoreError::MissingColumn { column: (*name).to_owned() })?;
            let type_name = columns::type_name(field.data_type()).ok_or_else(|| {
                StoreError::UnsupportedColumn {
                    column: (*name).to_owned(),
                    data_type: field.data_type().to_string(),
                }
            })?;
            let of = |key: &str| field.metadata().get(key).map_or("", String::as_str);
            for text in [name, type_name.as_str(), of("unit"), of("frame")] {
                put_bytes(&mut header, text.as_bytes()).ok_or_else(|| too_long(name, 0))?;
            }
            let data_type = field.data_type().clone();
            chosen.push(Column { name: (*name).to_owned(), data_type });
        }
        let mut leaf = LeafHasher::new();
        leaf.update(&header);
        Ok(Self {
            columns: chosen,
            header,
            leaf,
            tree: TreeHasher::default(),
            encoded: Vec::with_capacity(2 * FLUSH_BYTES),
            row_count: 0,
            last_key: None,
        })
    }

    /// Begins the digest of a channel: every column but `recording_id` and `topic`.
    ///
    /// # Errors
    /// [`StoreError::UnsupportedColumn`].
    pub fn of_channel(schema: &Schema) -> Result<Self, StoreError> {
        let names = schema.fields().iter().map(|field: &std::sync::Arc<Field>| field.name());
        let columns: Vec<&str> =
            names.map(String::as_str).filter(|name| !PLACE_COLUMNS.contains(name)).collect();
        Self::new(schema, &columns)
    }

    /// Adds the next rows. Columns are found by name; others are ignored.
    ///
    /// # Errors
    /// [`StoreError::MissingColumn`], [`StoreError::RowsOutOfOrder`],
    /// [`StoreError::ValueTooLong`]; the digest is of no use after an error.
    pub fn update(&mut self, batch: &RecordBatch) -> Result<(), StoreError> {
        self.check_order(batch)?;
        let mut columns = Vec::with_capacity(self.columns.len());
        for Column { name, data_type } in &self.columns {
            let array = batch.column_by_name(name).filter(|array| {
                columns::type_name(array.data_type()) == columns::type_name(data_type)
            });
            let bytes = array.and_then(|array| ColumnBytes::of(array.as_ref()));
            columns.push(bytes.ok_or_else(|| StoreError::MissingColumn { column: name.clone() })?);
        }
        for row in 0..batch.num_rows() {
            if self.row_count > 0 && self.row_count.is_multiple_of(ROWS_PER_LEAF) {
                self.end_leaf();
            }
            for (index, column) in columns.iter().enumerate() {
                column
                    .encode(row, &mut self.encoded)
                    .ok_or_else(|| too_long(&self.columns[index].name, self.row_count))?;
            }
            if self.encoded.len() >= FLUSH_BYTES {
                self.flush();
            }
            self.row_count += 1;
        }
        Ok(())
    }

    /// How many rows were added.
    #[must_use]
    pub fn row_count(&self) -> u64 {
        self.row_count
    }

    /// The digest of the rows added.
    #[must_use]
    pub fn finish(mut self) -> Digest {
        self.end_leaf();
        self.tree.root()
    }

    fn check_order(&mut self, batch: &RecordBatch) -> Result<(), StoreError> {
        let Some(keys) = order_keys(batch) else { return Ok(()) };
        for (row, key) in (self.row_count..).zip(keys) {
            if self.last_key.is_some_and(|last| key < last) {
                return Err(StoreError::RowsOutOfOrder { row_index: row });
            }
            self.last_key = Some(key);
        }
        Ok(())
    }

    fn flush(&mut self) {
        self.leaf.update(&self.encoded);
        self.encoded.clear();
    }

    fn end_leaf(&mut self) {
        self.flush();
        let mut next = LeafHasher::new();
        next.update(&self.header);
        self.tree.push(std::mem::replace(&mut self.leaf, next).finish());
    }
}

/// Root over a recording: its channels' digests by topic, then its originals.
///
/// A channel's leaf is the byte 1, the topic as `u32` length and bytes, and its digest; an
/// original's is the byte 2 and the SHA-256 of the file. `originals` are in the order given.
///
/// # Errors
/// [`StoreError::ValueTooLong`] if a topic is longer than a `u32` can say.
pub fn recording_root(
    channels: &[(String, Digest)],
    originals: &[Digest],
) -> Result<Digest, StoreError> {
    let mut channels: Vec<&(String, Digest)> = channels.iter().collect();
    channels.sort_unstable();
    let mut tree = TreeHasher::default();
    for (topic, digest) in channels {
        let mut bytes = vec![1];
        put_bytes(&mut bytes, topic.as_bytes()).ok_or_else(|| too_long("topic", 0))?;
        bytes.extend_from_slice(&digest.0);
        tree.push(leaf_of(&bytes));
    }
    for original in originals {
        let mut bytes = vec![2];
        bytes.extend_from_slice(&original.0);
        tree.push(leaf_of(&bytes));
    }
    Ok(tree.root())
}

fn leaf_of(bytes: &[u8]) -> Digest {
    let mut leaf = LeafHasher::new();
    leaf.update(bytes);
    leaf.finish()
}

fn too_long(column: &str, row_index: u64) -> StoreError {
    StoreError::ValueTooLong { column: column.to_owned(), row_index }
}

/// A length or count; `None` if it is above what a `u32` holds.
fn put_length(out: &mut Vec<u8>, length: usize) -> Option<()> {
    out.extend_from_slice(&u32::try_from(length).ok()?.to_le_bytes());
    Some(())
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) -> Option<()> {
    put_length(out, bytes.len())?;
    out.extend_from_slice(bytes);
    Some(())
}
