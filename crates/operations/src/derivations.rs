//! The table `derivations`: written in the commit that makes the child, read for `trace` and `verify`.
//!
//! Invariant: the edges of a thing have a digest in the ledger, beside the thing's own, so they are known to be whole.
//! That a row was decoded from an original is not written again: the catalogue says it.

use std::collections::{BTreeMap, BTreeSet};

use tiepoint_formats::columns;
use tiepoint_model::{Digest, LineageEdge};
use tiepoint_store::{PendingAppend, tables::EMPTY_VERSION};

use crate::{Error, Platform, verify::sha256_of};

/// The table's name.
pub(crate) const DERIVATIONS: &str = "derivations";

/// Edges on their way into the lake: rows that are part of no version yet, and the digest for the ledger.
pub(crate) struct PendingEdges {
    pub(crate) append: PendingAppend,
    /// The name and the value of the root.
    pub(crate) root: (String, Digest),
}

/// Writes the edges of one thing; `None` if there are none.
pub(crate) async fn write(
    platform: &Platform,
    child_id: &str,
    edges: &[LineageEdge],
) -> Result<Option<PendingEdges>, Error> {
    if edges.is_empty() {
        return Ok(None);
    }
    let batch = columns::derivations_to_batch(edges)?;
    let tables = &platform.store.tables;
    let append = tables.write_batches(DERIVATIONS, EMPTY_VERSION, vec![batch]).await?;
    let root = (root_name(child_id), digest_of(edges.iter().cloned().collect())?);
    Ok(Some(PendingEdges { append, root }))
}

/// Every edge that the table holds.
pub(crate) async fn all(platform: &Platform) -> Result<Vec<LineageEdge>, Error> {
    let mut edges = Vec::new();
    for batch in platform.store.read_table(&platform.head(), DERIVATIONS, &[]).await? {
        edges.extend(columns::derivations_from_batch(&batch)?);
    }
    Ok(edges)
}

/// The digest of each child's edges as they lie in the lake, by the name that it has in the ledger.
pub(crate) async fn digests(platform: &Platform) -> Result<BTreeMap<String, Digest>, Error> {
    let mut by_child: BTreeMap<String, BTreeSet<LineageEdge>> = BTreeMap::new();
    for edge in all(platform).await? {
        by_child.entry(edge.child.id.clone()).or_default().insert(edge);
    }
    let digests = by_child.into_iter().map(|(id, edges)| Ok((root_name(&id), digest_of(edges)?)));
    digests.collect()
}

/// True for names of the ledger's roots that are digests of edges; gives the child's id.
pub(crate) fn child_of_root(name: &str) -> Option<&str> {
    name.strip_suffix(" derivations")
}

/// Under which name the ledger keeps the digest of a thing's edges.
pub(crate) fn root_name(child_id: &str) -> String {
    format!("{child_id} derivations")
}

/// SHA-256 over the edges, sorted, each once, as JSON.
fn digest_of(edges: BTreeSet<LineageEdge>) -> Result<Digest, Error> {
    Ok(sha256_of(&serde_json::to_vec(&edges).map_err(Error::Json)?))
}
