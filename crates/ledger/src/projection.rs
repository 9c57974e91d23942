//! The saved projection: a replayed ledger as bytes, so that a long log need not be replayed to be opened.
//!
//! ```text
//! tiepoint-projection/1
//! columns, each 8 bytes of length (little-endian) and that many bytes; their order is that of `write_columns`
//! a signed note: `tiepoint-projection/1`, the log's name, the position, the digest of all before, in hexadecimal
//! 4 bytes: the length of the note (little-endian)
//! ```
//! The digest is BLAKE3 over the BLAKE3 digests of pieces of 2^22 bytes, so that all cores take part
//! (SHA-256 would take most of the time of opening).
//! Invariant: what is read equals the replay it was saved from, or is refused; no bytes make a reader panic.
//! The key of the lake signs it, so it is as good as the signed head; the root that follows from it is
//! still to be compared with that head.
//!
//! Not here: when it is written, and entries beyond its position.

use rayon::prelude::*;
use tiepoint_model::Digest;

use crate::{
    CompactRange, Edge, LedgerError, Note, SigningKey, State, Tile, VerifyingKey,
    columns::{Chains, Digests, Slots, Texts},
    replay::{Called, History, Nodes, Steps, Verbs},
};

const FIRST_LINE: &[u8] = b"tiepoint-projection/1\n";
const FAMILY: &[u8] = b"tiepoint-projection/";
const WHAT: &str = "saved projection";
const PIECE_BYTES: usize = 1 << 22;

/// A replayed ledger with the edge of its tiles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Projection {
    /// What the entries and bodies say.
    pub state: State,
    /// What is needed to go on hashing and cutting tiles.
    pub edge: Edge,
    /// The first index of each commit, ascending: which object of the log holds an entry.
    pub commits: Vec<u64>,
}

impl Projection {
    /// The bytes to save, signed with the key of the log.
    ///
    /// # Errors
    /// As [`save`].
    pub fn save(&self, key: &SigningKey) -> Result<Vec<u8>, LedgerError> {
        save(&self.state, &self.edge, &self.commits, key)
    }

    /// Reads what was saved, if this key has signed it.
    ///
    /// # Errors
    /// [`LedgerError::UnknownFormatVersion`], [`LedgerError::DigestMismatch`],
    /// [`LedgerError::WrongPurpose`] for another log, [`LedgerError::Malformed`], and those of
    /// [`Note::parse`] and [`Note::verify`].
    pub fn open(bytes: &[u8], key: &VerifyingKey) -> Result<Self, LedgerError> {
        let (content, note) = split(bytes)?;
        let note = Note::parse(note)?;
        note.verify(std::slice::from_ref(key))?;
        let (digest, read) = rayon::join(|| digest_of(content), || read_columns(content));
        let mut lines = note.text().lines().skip(1);
        let origin = lines.next().unwrap_or_default();
        if origin != key.name() {
            let (expected, found) = (key.name().to_owned(), origin.to_owned());
            return Err(LedgerError::WrongPurpose { what: WHAT, expected, found });
        }
        let expected = lines.nth(1).and_then(|line| line.parse().ok()).ok_or(malformed())?;
        if digest != expected {
            return Err(LedgerError::DigestMismatch { what: WHAT, expected, found: digest });
        }
        let projection = read?;
        match note.text() == note_text(key.name(), projection.state.entry_count, &digest) {
            true => Ok(projection),
            false => Err(malformed()),
        }
    }

    /// True if these bytes are what [`Projection::save`] writes with this key; without one, whoever signed them.
    #[must_use]
    pub fn is_saved_as(&self, bytes: &[u8], key: Option<&VerifyingKey>) -> bool {
        let Ok((content, note)) = split(bytes) else { return false };
        let signs = |key: &VerifyingKey| {
            Note::parse(note).is_ok_and(|note| {
                let text = note_text(key.name(), self.state.entry_count, &digest_of(content));
                note.verify(std::slice::from_ref(key)).is_ok() && note.text() == text
            })
        };
        let is_same = || {
            let mut left = Comparison { rest: content.get(FIRST_LINE.len()..), is_same: true };
            let columns = write_columns(&self.state, &self.edge, &self.commits, &mut left);
            columns.is_ok() && left.is_same && left.rest.is_some_and(<[u8]>::is_empty)
        };
        let (is_signed, is_same) = rayon::join(|| key.is_none_or(signs), is_same);
        is_signed && is_same
    }

    /// What is needed to go on hashing the log.
    #[must_use]
    pub fn range(&self) -> CompactRange {
        self.edge.range()
    }
}

/// The bytes of a projection to save, signed with the key of the log.
///
/// # Errors
/// [`LedgerError::WrongIndex`] unless state and edge stand at the same position; those of
/// [`Note::sign`].
pub fn save(
    state: &State,
    edge: &Edge,
    commits: &[u64],
    key: &SigningKey,
) -> Result<Vec<u8>, LedgerError> {
    let mut bytes = FIRST_LINE.to_vec();
    write_columns(state, edge, commits, &mut bytes)?;
    let text = note_text(key.name(), state.entry_count, &digest_of(&bytes));
    let note = Note::sign(&text, &[key])?.to_string();
    bytes.extend(note.as_bytes());
    bytes.extend((note.len() as u32).to_le_bytes());
    Ok(bytes)
}

fn note_text(origin: &str, position: u64, digest: &Digest) -> String {
    format!("{}{origin}\n{position}\n{digest}\n", String::from_utf8_lossy(FIRST_LINE))
}

fn digest_of(content: &[u8]) -> Digest {
    let pieces: Vec<[u8; 32]> =
        content.par_chunks(PIECE_BYTES).map(|piece| *blake3::hash(piece).as_bytes()).collect();
    Digest(*blake3::hash(pieces.as_flattened()).as_bytes())
}

/// First line and columns, and the note behind them.
fn split(bytes: &[u8]) -> Result<(&[u8], &[u8]), LedgerError> {
    if !bytes.starts_with(FIRST_LINE) {
        let version =
            bytes.strip_prefix(FAMILY).and_then(|rest| rest.split(|b| *b == b'\n').next());
        let version = version.filter(|digits| (1..=9).contains(&digits.len()) && digits.is_ascii());
        let found = String::from_utf8_lossy(version.ok_or(malformed())?).into_owned();
        return Err(LedgerError::UnknownFormatVersion { what: WHAT, line: 1, found, known: 1 });
    }
    let (rest, length) = bytes.split_last_chunk().ok_or(malformed())?;
    let length = u32::from_le_bytes(*length) as usize;
    let content_bytes = rest.len().checked_sub(length).ok_or(malformed())?;
    match content_bytes >= FIRST_LINE.len() {
        true => Ok(rest.split_at(content_bytes)),
        false => Err(malformed()),
    }
}

/// Every column in its only order.
fn write_columns(
    state: &State,
    edge: &Edge,
    commits: &[u64],
    to: &mut impl Columns,
) -> Result<(), LedgerError> {
    let (expected, found) = (state.entry_count, edge.leaf_count());
    if expected != found {
        return Err(LedgerError::WrongIndex { place: "log", expected, found });
    }
    let State {
        entry_count,
        verbs,
        tables,
        roots,
        blobs,
        blob_entries,
        without_body,
        nodes,
        steps,
        called,
    } = state;
    to.numbers(&[*entry_count]);
    to.numbers(commits);
    to.texts(&verbs.names);
    to.chains(&verbs.chains);
    to.short_numbers(&verbs.owners);
    to.history(tables);
    to.numbers(&tables.values);
    to.history(roots);
    to.digests(&roots.values);
    to.digests(&blobs.digests);
    to.short_numbers(&blobs.slots.0);
    to.numbers(blob_entries);
    to.numbers(without_body);
    to.texts(&nodes.ids);
    to.chains(&nodes.makers);
    to.numbers(&nodes.maker_entries);
    to.numbers(&steps.entries);
    to.numbers(&steps.input_ends);
    to.short_numbers(&steps.inputs);
    to.numbers(&steps.output_ends);
    to.short_numbers(&steps.outputs);
    to.texts(&called.titles);
    to.chains(&called.by_id);
    to.chains(&called.by_title);
    to.short_numbers(&called.ids);
    to.short_numbers(&called.names);
    to.numbers(&called.entries);
    edge.partial().iter().for_each(|(_, bytes)| to.column(bytes));
    Ok(())
}

/// What [`write_columns`] wrote.
fn read_columns(content: &[u8]) -> Result<Projection, LedgerError> {
    let mut from = Reader { rest: content.get(FIRST_LINE.len()..).ok_or(malformed())? };
    let [entry_count] = from.numbers()?[..] else { return Err(malformed()) };
    let commits = from.numbers()?;
    let state = State {
        entry_count,
        verbs: from.verbs()?,
        tables: from.history(Reader::numbers)?,
        roots: from.history(Reader::digests)?,
        blobs: from.blobs()?,
        blob_entries: from.numbers()?,
        without_body: from.numbers()?,
        nodes: from.nodes()?,
        steps: from.steps()?,
        called: from.called()?,
    };
    let edge = from.edge(entry_count)?;
    let projection = Projection { state, edge, commits };
    match from.rest.is_empty() && fits(&projection) {
        true => Ok(projection),
        false => Err(malformed()),
    }
}

/// Where columns go, one after the other, each behind its length.
trait Columns {
    fn column(&mut self, column: &[u8]);

    /// A column of values that take `N` bytes each.
    fn values<const N: usize, T>(&mut self, values: &[T], bytes_of: impl Fn(&T) -> [u8; N]);

    fn numbers(&mut self, values: &[u64]) {
        self.values(values, |value| value.to_le_bytes());
    }

    fn short_numbers(&mut self, values: &[u32]) {
        self.values(values, |value| value.to_le_bytes());
    }

    fn digests(&mut self, values: &[Digest]) {
        self.values(values, |digest| digest.0);
    }

    fn texts(&mut self, texts: &Texts) {
        self.column(texts.text.as_bytes());
        self.numbers(&texts.ends);
        self.short_numbers(&texts.slots.0);
    }

    fn chains(&mut self, chains: &Chains) {
        self.short_numbers(&chains.newest);
        self.short_numbers(&chains.before);
    }

    /// All but the values.
    fn history<T>(&mut self, history: &History<T>) {
        self.texts(&history.names);
        self.chains(&history.chains);
        self.short_numbers(&history.owners);
        self.numbers(&history.entries);
    }
}

impl Columns for Vec<u8> {
    fn column(&mut self, column: &[u8]) {
        self.extend((column.len() as u64).to_le_bytes());
        self.extend(column);
    }

    fn values<const N: usize, T>(&mut self, values: &[T], bytes_of: impl Fn(&T) -> [u8; N]) {
        self.extend(((values.len() * N) as u64).to_le_bytes());
        let begin = self.len();
        self.resize(begin + values.len() * N, 0);
        let (places, _) = self[begin..].as_chunks_mut();
        for (place, value) in places.iter_mut().zip(values) {
            *place = bytes_of(value);
        }
    }
}

/// Columns that are compared with written ones instead of being written.
struct Comparison<'b> {
    /// What has not been compared; none once the written ones have ended too early.
    rest: Option<&'b [u8]>,
    is_same: bool,
}

impl<'b> Comparison<'b> {
    fn next(&mut self, size_bytes: usize) -> &'b [u8] {
        let split = self.rest.and_then(|rest| rest.split_at_checked(size_bytes));
        self.rest = split.map(|(_, rest)| rest);
        split.map_or(&[], |(next, _)| next)
    }
}

impl Columns for Comparison<'_> {
    fn column(&mut self, column: &[u8]) {
        let length = self.next(8);
        self.is_same &= length == (column.len() as u64).to_le_bytes();
        self.is_same &= self.next(column.len()) == column;
    }

    fn values<const N: usize, T>(&mut self, values: &[T], bytes_of: impl Fn(&T) -> [u8; N]) {
        let length = self.next(8);
        self.is_same &= length == ((values.len() * N) as u64).to_le_bytes();
        let (found, _) = self.next(values.len() * N).as_chunks();
        let same = found.iter().zip(values).all(|(found, value)| *found == bytes_of(value));
        self.is_same &= same && found.len() == values.len();
    }
}

struct Reader<'b> {
    rest: &'b [u8],
}

impl<'b> Reader<'b> {
    fn column(&mut self) -> Result<&'b [u8], LedgerError> {
        let (length, rest) = self.rest.split_first_chunk().ok_or(malformed())?;
        let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| malformed())?;
        let (column, rest) = rest.split_at_checked(length).ok_or(malformed())?;
        self.rest = rest;
        Ok(column)
    }

    fn chunks<const N: usize, T>(
        &mut self,
        read: impl Fn([u8; N]) -> T,
    ) -> Result<Vec<T>, LedgerError> {
        match self.column()?.as_chunks() {
            (chunks, []) => Ok(chunks.iter().map(|chunk| read(*chunk)).collect()),
            _ => Err(malformed()),
        }
    }

    fn numbers(&mut self) -> Result<Vec<u64>, LedgerError> {
        self.chunks(u64::from_le_bytes)
    }

    fn short_numbers(&mut self) -> Result<Vec<u32>, LedgerError> {
        self.chunks(u32::from_le_bytes)
    }

    fn digests(&mut self) -> Result<Vec<Digest>, LedgerError> {
        self.chunks(Digest)
    }

    fn texts(&mut self) -> Result<Texts, LedgerError> {
        let text = std::str::from_utf8(self.column()?).map_err(|_| malformed())?.to_owned();
        Ok(Texts { text, ends: self.numbers()?, slots: Slots(self.short_numbers()?) })
    }

    fn chains(&mut self) -> Result<Chains, LedgerError> {
        Ok(Chains { newest: self.short_numbers()?, before: self.short_numbers()? })
    }

    fn history<T>(
        &mut self,
        values: impl Fn(&mut Self) -> Result<Vec<T>, LedgerError>,
    ) -> Result<History<T>, LedgerError> {
        Ok(History {
            names: self.texts()?,
            chains: self.chains()?,
            owners: self.short_numbers()?,
            entries: self.numbers()?,
            values: values(self)?,
        })
    }

    fn blobs(&mut self) -> Result<Digests, LedgerError> {
        Ok(Digests { digests: self.digests()?, slots: Slots(self.short_numbers()?) })
    }

    fn nodes(&mut self) -> Result<Nodes, LedgerError> {
        let (ids, makers) = (self.texts()?, self.chains()?);
        Ok(Nodes { ids, makers, maker_entries: self.numbers()? })
    }

    fn steps(&mut self) -> Result<Steps, LedgerError> {
        Ok(Steps {
            entries: self.numbers()?,
            input_ends: self.numbers()?,
            inputs: self.short_numbers()?,
            output_ends: self.numbers()?,
            outputs: self.short_numbers()?,
        })
    }

    fn verbs(&mut self) -> Result<Verbs, LedgerError> {
        let (names, chains) = (self.texts()?, self.chains()?);
        Ok(Verbs { names, chains, owners: self.short_numbers()? })
    }

    fn called(&mut self) -> Result<Called, LedgerError> {
        Ok(Called {
            titles: self.texts()?,
            by_id: self.chains()?,
            by_title: self.chains()?,
            ids: self.short_numbers()?,
            names: self.short_numbers()?,
            entries: self.numbers()?,
        })
    }

    fn edge(&mut self, leaf_count: u64) -> Result<Edge, LedgerError> {
        Edge::read(leaf_count, |_: &Tile| self.column().map(<[u8]>::to_vec))
    }
}

/// True if no look-up can leave its array or go on for ever.
fn fits(projection: &Projection) -> bool {
    let Projection { state, commits, .. } = projection;
    let nodes = &state.nodes;
    let is_first = |(at, first): (usize, &u64)| (at == 0) == (*first == 0);
    commits.is_empty() == (state.entry_count == 0)
        && commits.is_sorted_by(|earlier, later| earlier < later)
        && commits.iter().take(2).enumerate().all(is_first)
        && commits.last().is_none_or(|last| *last < state.entry_count)
        && state.verbs.len() as u64 == state.entry_count
        && state.verbs.fits()
        && history_fits(&state.tables)
        && history_fits(&state.roots)
        && state.blobs.slots.fits(state.blobs.digests.len())
        && state.blob_entries.len() == state.blobs.digests.len()
        && texts_fit(&nodes.ids)
        && nodes.makers.fits(nodes.ids.len())
        && nodes.makers.before.len() == nodes.maker_entries.len()
        && steps_fit(&state.steps)
        && state.called.fits(nodes.ids.len())
}

fn history_fits<T>(history: &History<T>) -> bool {
    let count = history.values.len();
    texts_fit(&history.names)
        && history.chains.fits(history.names.len())
        && [history.chains.before.len(), history.owners.len(), history.entries.len()]
            .iter()
            .all(|length| *length == count)
}

fn texts_fit(texts: &Texts) -> bool {
    texts.slots.fits(texts.len()) && ends_fit(&texts.ends, texts.text.len())
}

fn steps_fit(steps: &Steps) -> bool {
    let count = steps.entries.len();
    steps.input_ends.len() == count
        && steps.output_ends.len() == count
        && ends_fit(&steps.input_ends, steps.inputs.len())
        && ends_fit(&steps.output_ends, steps.outputs.len())
}

fn ends_fit(ends: &[u64], length: usize) -> bool {
    ends.is_sorted() && ends.last().copied().unwrap_or_default() == length as u64
}

fn malformed() -> LedgerError {
    LedgerError::Malformed { what: WHAT, line: 1, problem: "does not have the columns it should" }
}

#[cfg(test)]
mod tests;
