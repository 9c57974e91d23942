//! Finding recordings by id or name, and reading their samples back from the lake.

use arrow::compute::concat_batches;
use tiepoint_formats::{Samples, Table, columns};
use tiepoint_model::Recording;

use crate::{Error, Platform};

/// The id of a thing that the ledger names, from its id or, for things with a name, from that.
pub(crate) fn id_in_ledger(platform: &Platform, name: &str) -> Result<String, Error> {
    let state = &platform.log.state;
    if state.has_id(name) {
        return Ok(name.to_owned());
    }
    let owned = |texts: Vec<&str>| texts.into_iter().map(str::to_owned).collect();
    match state.ids_called(name).as_slice() {
        [id] => Ok((*id).to_owned()),
        [] => Err(Error::NotFound { name: name.to_owned(), known: owned(state.names()) }),
        ids => Err(Error::AmbiguousName { name: name.to_owned(), ids: owned(ids.to_vec()) }),
    }
}

/// Every recording of the lake with its channels, sorted by id.
pub(crate) async fn all(platform: &Platform) -> Result<Vec<Recording>, Error> {
    let head = platform.head();
    let recordings = platform.store.read_table(&head, "recordings", &[]).await?;
    let channels = platform.store.read_table(&head, "channels", &[]).await?;
    let recordings = concat_batches(&columns::recordings_schema(), &recordings)?;
    let channels = concat_batches(&columns::channels_schema(), &channels)?;
    let mut all = columns::recordings_from_batches(&recordings, &channels)?;
    all.sort_by(|a, b| a.recording_id.cmp(&b.recording_id));
    Ok(all)
}

/// One recording with its channels, by id or name.
pub(crate) async fn find(platform: &Platform, name: &str) -> Result<Recording, Error> {
    let recordings = all(platform).await?;
    let mut matching: Vec<&Recording> = recordings
        .iter()
        .filter(|recording| recording.recording_id.0 == name || recording.name == name)
        .collect();
    match (matching.pop(), matching.is_empty()) {
        (Some(one), true) => Ok(one.clone()),
        (None, _) => {
            let known = recordings.iter().map(|recording| recording.name.clone()).collect();
            Err(Error::NotFound { name: name.to_owned(), known })
        }
        (Some(last), false) => {
            let ids = matching.into_iter().chain([last]);
            let ids = ids.map(|recording| recording.recording_id.to_string()).collect();
            Err(Error::AmbiguousName { name: name.to_owned(), ids })
        }
    }
}

/// The samples of one channel, in the channel's order.
pub(crate) async fn samples(
    platform: &Platform,
    recording: &Recording,
    table: Table,
    topic: &str,
) -> Result<Samples, Error> {
    let id = recording.recording_id.to_string();
    let equals = [("recording_id", id.as_str()), ("topic", topic)];
    let batches = platform.store.read_table(&platform.head(), table.as_str(), &equals).await?;
    let mut all = Samples::empty(table);
    for batch in &batches {
        // Both sides are of this table, so they always join.
        let _ = all.append(columns::from_batch(table, batch)?);
    }
    Ok(all)
}

/// The topics of a recording that lie in a table, sorted.
pub(crate) fn topics_of(recording: &Recording, table: Table) -> Vec<String> {
    let channels = recording.channels.iter().filter(|channel| channel.table == table.as_str());
    channels.map(|channel| channel.topic.clone()).collect()
}
