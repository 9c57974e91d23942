//! The saved projection: a replayed ledger as bytes, so that a long log need not be replayed to be opened.
//!
//! ```text
//! tiepoint-projection/1
//! columns, each 8 bytes of length (little-endian) and that many bytes; their order is that of `columns_of`
//! 32 bytes: BLAKE3 of all before
//! ```
//! Invariant: what is read equals the replay it was saved from, or is refused; no bytes make a reader panic.
//! The digest stops accidents (BLAKE3: SHA-256 would take half of the time of opening). It does not stop people: compare the root with a signed head, and keep the
//! file where only writers of the lake write.
//!
//! Not here: when it is written, and entries beyond its position.

use tiepoint_model::Digest;

use crate::{
    Edge, LedgerError, State, Tile,
    columns::{Chains, Digests, Slots, Texts},
    replay::{History, Nodes, Steps},
    tiles,
};

const FIRST_LINE: &[u8] = b"tiepoint-projection/1\n";
const FAMILY: &[u8] = b"tiepoint-projection/";
const WHAT: &str = "saved projection";
const DIGEST_BYTES: usize = 32;

/// A replayed ledger with the edge of its tiles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Projection {
    /// What the entries and bodies say.
    pub state: State,
    /// What is needed to go on hashing and cutting tiles.
    pub edge: Edge,
}

impl Projection {
    /// The bytes to save.
    ///
    /// # Errors
    /// [`LedgerError::WrongIndex`] unless state and edge stand at the same position.
    pub fn encode(&self) -> Result<Vec<u8>, LedgerError> {
        let (expected, found) = (self.state.entry_count, self.edge.leaf_count());
        if expected != found {
            return Err(LedgerError::WrongIndex { place: "log", expected, found });
        }
        let mut bytes = FIRST_LINE.to_vec();
        for column in columns_of(self) {
            bytes.extend((column.len() as u64).to_le_bytes());
            bytes.extend(column);
        }
        let digest = blake3::hash(&bytes);
        bytes.extend(digest.as_bytes());
        Ok(bytes)
    }

    /// Reads what was saved.
    ///
    /// # Errors
    /// [`LedgerError::UnknownFormatVersion`], [`LedgerError::DigestMismatch`],
    /// [`LedgerError::Malformed`].
    pub fn decode(bytes: &[u8]) -> Result<Self, LedgerError> {
        let content = check_frame(bytes)?;
        let mut reader = Reader { rest: content };
        let [entry_count] = reader.numbers()?[..] else { return Err(malformed()) };
        let state = State {
            entry_count,
            tables: reader.history(Reader::numbers)?,
            roots: reader.history(Reader::digests)?,
            blobs: reader.blobs()?,
            blob_entries: reader.numbers()?,
            without_body: reader.numbers()?,
            nodes: reader.nodes()?,
            steps: reader.steps()?,
        };
        let edge = reader.edge(entry_count)?;
        let projection = Self { state, edge };
        match reader.rest.is_empty() && fits(&projection.state) {
            true => Ok(projection),
            false => Err(malformed()),
        }
    }
}

/// Every column in its only order.
fn columns_of(projection: &Projection) -> Vec<Vec<u8>> {
    let State { entry_count, tables, roots, blobs, blob_entries, without_body, nodes, steps } =
        &projection.state;
    let mut columns = vec![numbers(&[*entry_count])];
    columns.extend(history_columns(tables, numbers(&tables.values)));
    columns.extend(history_columns(roots, tiles::encode_hashes(&roots.values)));
    columns.extend([tiles::encode_hashes(&blobs.digests), short_numbers(&blobs.slots.0)]);
    columns.extend([numbers(blob_entries), numbers(without_body)]);
    columns.extend(text_columns(&nodes.ids));
    columns.extend([short_numbers(&nodes.makers.newest), short_numbers(&nodes.makers.before)]);
    columns.push(numbers(&nodes.maker_entries));
    columns.extend([numbers(&steps.entries), numbers(&steps.input_ends)]);
    columns.extend([short_numbers(&steps.inputs), numbers(&steps.output_ends)]);
    columns.push(short_numbers(&steps.outputs));
    columns.extend(projection.edge.partial().into_iter().map(|(_, bytes)| bytes));
    columns
}

fn history_columns<T>(history: &History<T>, values: Vec<u8>) -> Vec<Vec<u8>> {
    let mut columns = text_columns(&history.names);
    let Chains { newest, before } = &history.chains;
    columns.extend([short_numbers(newest), short_numbers(before)]);
    columns.extend([short_numbers(&history.owners), numbers(&history.entries), values]);
    columns
}

fn text_columns(texts: &Texts) -> Vec<Vec<u8>> {
    vec![texts.text.clone().into_bytes(), numbers(&texts.ends), short_numbers(&texts.slots.0)]
}

fn numbers(values: &[u64]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn short_numbers(values: &[u32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// The columns, once first line and digest are right.
fn check_frame(bytes: &[u8]) -> Result<&[u8], LedgerError> {
    if !bytes.starts_with(FIRST_LINE) {
        let version =
            bytes.strip_prefix(FAMILY).and_then(|rest| rest.split(|b| *b == b'\n').next());
        let version = version.filter(|digits| (1..=9).contains(&digits.len()) && digits.is_ascii());
        let found = String::from_utf8_lossy(version.ok_or(malformed())?).into_owned();
        return Err(LedgerError::UnknownFormatVersion { what: WHAT, line: 1, found, known: 1 });
    }
    let (content, digest) = bytes
        .split_last_chunk::<DIGEST_BYTES>()
        .filter(|(c, _)| c.len() >= FIRST_LINE.len())
        .ok_or(malformed())?;
    let (expected, found) = (Digest(*digest), Digest(*blake3::hash(content).as_bytes()));
    match found == expected {
        true => Ok(&content[FIRST_LINE.len()..]),
        false => Err(LedgerError::DigestMismatch { what: WHAT, expected, found }),
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

    fn edge(&mut self, leaf_count: u64) -> Result<Edge, LedgerError> {
        Edge::read(leaf_count, |_: &Tile| self.column().map(<[u8]>::to_vec))
    }
}

/// True if no look-up can leave its array or go on for ever.
fn fits(state: &State) -> bool {
    let nodes = &state.nodes;
    history_fits(&state.tables)
        && history_fits(&state.roots)
        && state.blobs.slots.fits(state.blobs.digests.len())
        && state.blob_entries.len() == state.blobs.digests.len()
        && texts_fit(&nodes.ids)
        && nodes.makers.fits(nodes.ids.len())
        && nodes.makers.before.len() == nodes.maker_entries.len()
        && steps_fit(&state.steps)
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
