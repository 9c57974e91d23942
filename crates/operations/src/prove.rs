//! `prove`: that an entry is in the ledger, and that the ledger only grew; for people without the lake.
//!
//! Invariant: a proof is handed out only after it was checked against the signed head.
//! It is made from a few tiles; where they are missing or damaged, from the entries themselves.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tiepoint_ledger::{
    Checkpoint, ConsistencyProof, EntryProof, GrowthProof, InclusionProof, LedgerError, Note,
    TiledTree, Tree, merkle::leaf_hash,
};

use crate::{Error, Platform, platform::log::Wanted, recording};

/// What is to be proved.
#[derive(Clone, Debug)]
pub enum ProveRequest {
    /// That an entry is in the ledger: its index, or the id or name of what it made.
    Entry(String),
    /// That the ledger of today begins with that of this size.
    Growth {
        /// Entries in the earlier ledger.
        from_size: u64,
    },
}

/// A proof, as a file and as JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Proof {
    /// C2SP tlog-proof for an entry, the body of a C2SP tlog-witness request for growth.
    pub text: String,
    /// The same for programs.
    pub json: Value,
}

/// Proves what is asked for under the newest signed head.
///
/// # Errors
/// [`Error::NotSigned`] if no good head covers it, [`Error::NotFound`], [`Error::AmbiguousName`].
pub async fn prove(platform: &Platform, request: &ProveRequest) -> Result<Proof, Error> {
    let (note, head) = signed_head(platform).await?;
    match request {
        ProveRequest::Entry(thing) => {
            let index = entry_index(platform, thing)?;
            let entry_count = platform.log.state.entry_count();
            let no_entry = LedgerError::NoSuchPosition { position: index, entry_count };
            let line = platform.read_entry(index, Wanted::Entries).await?;
            let entry = line.ok_or(no_entry)?.bytes;
            if index >= head.size {
                let why =
                    format!("entry {index} is younger than the head of {} entries", head.size);
                return Err(Error::NotSigned { why });
            }
            let proof = inclusion(platform, &head, index, &entry).await?;
            let path = proof.path;
            entry_proof_json(&EntryProof { entry, leaf_index: index, path, checkpoint: note })
        }
        ProveRequest::Growth { from_size } => {
            let proof = growth(platform, &note, &head, *from_size).await?;
            let json = json!({
                "old_size": from_size.to_string(),
                "new_size": head.size.to_string(),
                "path": proof.path,
                "checkpoint": proof.checkpoint.to_string(),
                "tlog_growth": proof.to_string(),
            });
            Ok(Proof { text: proof.to_string(), json })
        }
    }
}

/// The proof of an entry as every operation that commits returns it.
pub(crate) fn entry_proof_json(proof: &EntryProof) -> Result<Proof, Error> {
    let checkpoint = Checkpoint::parse(proof.checkpoint.text())?;
    let json = json!({
        "entry": serde_json::from_slice::<Value>(&proof.entry).map_err(Error::Json)?,
        "leaf_index": proof.leaf_index.to_string(),
        "leaf_hash": leaf_hash(&proof.entry),
        "tree_size": checkpoint.size.to_string(),
        "root": checkpoint.root,
        "path": proof.path,
        "checkpoint": proof.checkpoint.to_string(),
        "tlog_proof": proof.to_string(),
    });
    Ok(Proof { text: proof.to_string(), json })
}

/// The newest signed head, which the log as it is must hold unless it was opened at a position.
pub(crate) async fn signed_head(platform: &Platform) -> Result<(Note, Checkpoint), Error> {
    let bytes = platform.checkpoint_bytes().await?;
    let why = "there is no signed head".to_owned();
    let bytes = bytes.ok_or(Error::NotSigned { why })?;
    let head = Checkpoint::open(&bytes, &platform.verifying_key()?)?;
    // A lake opened at a position is shorter than its head by intent.
    if platform.expect_writable().is_ok() {
        platform.log.head.expect_whole(&platform.log.tree)?;
    }
    // With the lines of witnesses, if some have cosigned this very head.
    let mut cosigned = platform.cosigned_heads().await?.into_iter();
    let note = Note::parse(&bytes)?;
    Ok((cosigned.rfind(|cosigned| cosigned.text() == note.text()).unwrap_or(note), head))
}

/// Proves growth from an earlier size to the signed head.
pub(crate) async fn growth(
    platform: &Platform,
    note: &Note,
    head: &Checkpoint,
    old_size: u64,
) -> Result<GrowthProof, Error> {
    let checkpoint = note.clone();
    if old_size == 0 || old_size >= head.size {
        let proof = Tree::default().consistency(0, 0)?;
        if old_size > head.size {
            let (position, entry_count) = (old_size, head.size);
            return Err(LedgerError::NoSuchPosition { position, entry_count }.into());
        }
        return Ok(GrowthProof { old_size, path: proof.path, checkpoint });
    }
    let from_tiles =
        tiled(platform, old_size - 1, head).await.and_then(|part| Ok(part.consistency(old_size)?));
    let checked: Result<ConsistencyProof, Error> = match from_tiles {
        Ok(proof) => Ok(proof),
        Err(_) => Ok(whole(platform).await?.consistency(old_size, head.size)?),
    };
    Ok(GrowthProof { old_size, path: checked?.path, checkpoint })
}

async fn inclusion(
    platform: &Platform,
    head: &Checkpoint,
    index: u64,
    entry: &[u8],
) -> Result<InclusionProof, Error> {
    let leaf = leaf_hash(entry);
    let from_tiles = tiled(platform, index, head).await;
    if let Ok(proof) = from_tiles.and_then(|part| Ok(part.inclusion(index)?))
        && proof.verify(&leaf, &head.root).is_ok()
    {
        return Ok(proof);
    }
    let proof = whole(platform).await?.inclusion(index, head.size)?;
    proof.verify(&leaf, &head.root)?;
    Ok(proof)
}

/// The tree from the tiles around one leaf, if they lead to the signed root.
async fn tiled(platform: &Platform, leaf: u64, head: &Checkpoint) -> Result<TiledTree, Error> {
    let mut part = TiledTree::new(head.size);
    for tile in TiledTree::tiles_needed(leaf, head.size) {
        part.add(&tile, &platform.store.objects.get(&tile.path()).await?)?;
    }
    match part.root()? == head.root {
        true => Ok(part),
        false => Err(Error::NotSigned { why: "the tiles are not those of the head".to_owned() }),
    }
}

/// The tree from all entries.
async fn whole(platform: &Platform) -> Result<Tree, Error> {
    let mut tree = Tree::default();
    for firsts in platform.commits_from(0) {
        let commits = platform.read_commits(firsts, Wanted::Entries).await?;
        commits.iter().flatten().for_each(|line| tree.append(leaf_hash(&line.bytes)));
    }
    Ok(tree)
}

/// The entry of that index, or the one that first made the thing of that id or name.
fn entry_index(platform: &Platform, thing: &str) -> Result<u64, Error> {
    if let Ok(index) = thing.parse() {
        return Ok(index);
    }
    let id = recording::id_in_ledger(platform, thing)?;
    let made = platform.log.state.entries_of_output(&id)?;
    made.first().copied().ok_or(Error::NotFound { name: id, known: Vec::new() })
}
