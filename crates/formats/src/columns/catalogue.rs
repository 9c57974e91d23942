//! The catalogue tables: recordings, their channels and what was found, as batches and back.
//!
//! Invariant: what goes in comes out. Derivation and quality are kept whole as JSON text; the
//! numbers beside them are for queries and are not read back.

use std::{collections::BTreeMap, sync::Arc};

use arrow::{
    array::{
        Array, ArrayRef, BooleanArray, Float64Array, Int64Array, ListArray, RecordBatch,
        StringArray, UInt32Array, UInt64Array, builder::ListBuilder, builder::StringBuilder,
    },
    datatypes::DataType,
};
use serde::{Serialize, de::DeserializeOwned};
use tiepoint_model::{
    Channel, Derivation, Digest, Recording, RecordingId, Timestamp,
    quality::{ChannelQuality, Finding, QualityVerdict},
};

use super::{
    ColumnsError,
    from_batch::Columns,
    schema::{channels_schema, findings_schema, recordings_schema},
    value_error,
};

const RECORDINGS: &str = "recordings";
const CHANNELS: &str = "channels";

/// One row per recording, without its channels (see [`channels_to_batch`]).
///
/// # Errors
/// [`ColumnsError::Value`] if a derivation cannot be written as JSON.
pub fn recordings_to_batch(recordings: &[Recording]) -> Result<RecordBatch, ColumnsError> {
    let mut derivations = Vec::with_capacity(recordings.len());
    let mut qualities = Vec::with_capacity(recordings.len());
    for (row, recording) in recordings.iter().enumerate() {
        qualities.push(quality_json(RECORDINGS, &recording.quality, row)?);
        let json = recording.derivation.as_ref().map(serde_json::to_string).transpose();
        derivations.push(json.map_err(value_error(RECORDINGS, "derivation_json", row))?);
    }
    let generated = |recording: &Recording| match &recording.derivation {
        Some(Derivation::Generated { generator, generation_depth, .. }) => {
            Some((generator.clone(), *generation_depth))
        }
        _ => None,
    };
    let mut originals = ListBuilder::new(StringBuilder::new());
    for recording in recordings {
        recording.originals.iter().for_each(|digest| {
            originals.values().append_value(digest.to_string());
        });
        originals.append(true);
    }
    let mut original_names = ListBuilder::new(StringBuilder::new());
    for recording in recordings {
        recording.original_names.iter().for_each(|name| original_names.values().append_value(name));
        original_names.append(true);
    }
    let messages = |recording: &Recording| {
        recording.channels.iter().map(|channel| channel.message_count).sum()
    };
    let columns: Vec<ArrayRef> = vec![
        texts(recordings, |recording| recording.recording_id.0.clone()),
        texts(recordings, |recording| recording.name.clone()),
        texts(recordings, |recording| recording.origin.to_string()),
        Arc::new(StringArray::from_iter(recordings.iter().map(|r| r.rig.clone()))),
        Arc::new(StringArray::from_iter(derivations)),
        Arc::new(StringArray::from_iter(recordings.iter().map(|r| generated(r).map(|g| g.0)))),
        Arc::new(UInt32Array::from_iter(recordings.iter().map(|r| generated(r).map(|g| g.1)))),
        texts(recordings, |recording| recording.container.clone()),
        times(recordings, |recording| recording.start_time_ns),
        times(recordings, |recording| recording.end_time_ns),
        Arc::new(originals.finish()),
        Arc::new(original_names.finish()),
        texts(recordings, |recording| recording.content_digest.to_string()),
        counts(recordings, |recording| recording.channels.len() as u64),
        counts(recordings, messages),
        counts(recordings, |recording| recording.quality.losses.len() as u64),
        Arc::new(StringArray::from(qualities)),
    ];
    Ok(RecordBatch::try_new(recordings_schema(), columns)?)
}

/// One row per channel of each recording, in the order given.
///
/// # Errors
/// [`ColumnsError::Value`] if a quality report holds a number that JSON cannot.
pub fn channels_to_batch(recordings: &[Recording]) -> Result<RecordBatch, ColumnsError> {
    let rows: Vec<(&RecordingId, &Channel)> = recordings
        .iter()
        .flat_map(|recording| recording.channels.iter().map(|c| (&recording.recording_id, c)))
        .collect();
    let mut qualities = Vec::with_capacity(rows.len());
    for (row, (_, channel)) in rows.iter().enumerate() {
        qualities.push(quality_json(CHANNELS, &channel.quality, row)?);
    }
    let shares = |share: &dyn Fn(&ChannelQuality) -> Option<f64>| -> ArrayRef {
        Arc::new(Float64Array::from_iter(rows.iter().map(|(_, channel)| share(&channel.quality))))
    };
    let passes = rows.iter().map(|(_, c)| Some(c.quality.verdict == QualityVerdict::Pass));
    let columns: Vec<ArrayRef> = vec![
        texts(&rows, |(recording_id, _)| recording_id.0.clone()),
        texts(&rows, |(_, channel)| channel.topic.clone()),
        texts(&rows, |(_, channel)| channel.message_type.clone()),
        texts(&rows, |(_, channel)| channel.encoding.clone()),
        texts(&rows, |(_, channel)| channel.table.clone()),
        counts(&rows, |(_, channel)| channel.message_count),
        times(&rows, |(_, channel)| channel.start_time_ns),
        times(&rows, |(_, channel)| channel.end_time_ns),
        texts(&rows, |(_, channel)| channel.content_digest.to_string()),
        texts(&rows, |(_, channel)| verdict_word(channel.quality.verdict).to_owned()),
        Arc::new(BooleanArray::from_iter(passes)),
        shares(&|quality| quality.rate_hz),
        shares(&|quality| quality.jitter_share),
        counts(&rows, |(_, channel)| channel.quality.gap_count),
        shares(&|quality| quality.gap_share),
        counts(&rows, |(_, channel)| channel.quality.runs_back_count),
        counts(&rows, |(_, channel)| channel.quality.duplicate_count),
        counts(&rows, |(_, channel)| channel.quality.nan_count),
        counts(&rows, |(_, channel)| channel.quality.out_of_range_count),
        Arc::new(StringArray::from(qualities)),
    ];
    Ok(RecordBatch::try_new(channels_schema(), columns)?)
}

/// Recordings with their channels, in the order of the rows.
///
/// Channels of recordings that are not in `recordings` are not looked at.
///
/// # Errors
/// [`ColumnsError`], if a batch is not of its table's schema or holds what no recording can.
pub fn recordings_from_batches(
    recordings: &RecordBatch,
    channels: &RecordBatch,
) -> Result<Vec<Recording>, ColumnsError> {
    let columns = Columns { table: RECORDINGS, batch: recordings };
    let (ids, names) = (columns.texts("recording_id")?, columns.texts("name")?);
    let (origins, containers) = (columns.texts("origin")?, columns.texts("container")?);
    let derivations = columns.optional::<StringArray>("derivation_json", &DataType::Utf8)?;
    let (starts, ends) = (columns.times("start_time_ns")?, columns.times("end_time_ns")?);
    let list = DataType::new_list(DataType::Utf8, true);
    let originals = columns.column::<ListArray>("originals", &list)?;
    let original_names = columns.column::<ListArray>("original_names", &list)?;
    let digests = columns.texts("content_digest")?;
    let rigs = columns.optional::<StringArray>("rig", &DataType::Utf8)?;
    let qualities = columns.texts("quality_json")?;

    let mut channels_of = channels_by_recording(channels)?;
    let mut read = Vec::with_capacity(recordings.num_rows());
    for row in 0..recordings.num_rows() {
        let recording_id = RecordingId(ids.value(row).to_owned());
        let derivation = match derivations.is_null(row) {
            true => None,
            false => Some(serde_json::from_str(derivations.value(row)).map_err(value_error(
                RECORDINGS,
                "derivation_json",
                row,
            ))?),
        };
        read.push(Recording {
            name: names.value(row).to_owned(),
            origin: origins.value(row).parse().map_err(value_error(RECORDINGS, "origin", row))?,
            derivation,
            container: containers.value(row).to_owned(),
            start_time_ns: Timestamp(starts.value(row)),
            end_time_ns: Timestamp(ends.value(row)),
            originals: original_digests(originals, row)?,
            original_names: texts_at(original_names, "original_names", row)?,
            content_digest: digests.value(row).parse().map_err(value_error(
                RECORDINGS,
                "content_digest",
                row,
            ))?,
            rig: (!rigs.is_null(row)).then(|| rigs.value(row).to_owned()),
            channels: channels_of.remove(&recording_id).unwrap_or_default(),
            quality: serde_json::from_str(qualities.value(row)).map_err(value_error(
                RECORDINGS,
                "quality_json",
                row,
            ))?,
            recording_id,
        });
    }
    Ok(read)
}

fn original_digests(originals: &ListArray, row: usize) -> Result<Vec<Digest>, ColumnsError> {
    let texts = texts_at(originals, "originals", row)?;
    let parse = |text: &String| text.parse().map_err(value_error(RECORDINGS, "originals", row));
    texts.iter().map(parse).collect()
}

fn texts_at(
    lists: &ListArray,
    column: &'static str,
    row: usize,
) -> Result<Vec<String>, ColumnsError> {
    let list = lists.value(row);
    let texts = list.as_any().downcast_ref::<StringArray>().ok_or_else(|| {
        let (expected, found) = (DataType::Utf8.to_string(), list.data_type().to_string());
        ColumnsError::ColumnType { table: RECORDINGS, column, expected, found }
    })?;
    let owned = |text: Option<&str>| {
        text.map(ToOwned::to_owned).ok_or(ColumnsError::Null { table: RECORDINGS, column, row })
    };
    texts.iter().map(owned).collect()
}

fn channels_by_recording(
    batch: &RecordBatch,
) -> Result<BTreeMap<RecordingId, Vec<Channel>>, ColumnsError> {
    let columns = Columns { table: CHANNELS, batch };
    let (ids, topics) = (columns.texts("recording_id")?, columns.texts("topic")?);
    let (types, encodings) = (columns.texts("message_type")?, columns.texts("encoding")?);
    let tables = columns.texts("table_name")?;
    let counts = columns.column::<UInt64Array>("message_count", &DataType::UInt64)?;
    let (starts, ends) = (columns.times("start_time_ns")?, columns.times("end_time_ns")?);
    let (digests, qualities) = (columns.texts("content_digest")?, columns.texts("quality_json")?);
    let mut channels: BTreeMap<RecordingId, Vec<Channel>> = BTreeMap::new();
    for row in 0..batch.num_rows() {
        let channel = Channel {
            topic: topics.value(row).to_owned(),
            message_type: types.value(row).to_owned(),
            encoding: encodings.value(row).to_owned(),
            table: tables.value(row).to_owned(),
            message_count: counts.value(row),
            start_time_ns: Timestamp(starts.value(row)),
            end_time_ns: Timestamp(ends.value(row)),
            content_digest: digests.value(row).parse().map_err(value_error(
                CHANNELS,
                "content_digest",
                row,
            ))?,
            quality: serde_json::from_str(qualities.value(row)).map_err(value_error(
                CHANNELS,
                "quality_json",
                row,
            ))?,
        };
        channels.entry(RecordingId(ids.value(row).to_owned())).or_default().push(channel);
    }
    Ok(channels)
}

/// JSON has no NaN and no infinity: they would silently become null.
fn quality_json<Q: Serialize + DeserializeOwned + PartialEq>(
    table: &'static str,
    quality: &Q,
    row: usize,
) -> Result<String, ColumnsError> {
    let refuse = value_error(table, "quality_json", row);
    let text = serde_json::to_string(quality).map_err(|error| refuse(error.to_string()))?;
    match serde_json::from_str::<Q>(&text) {
        Ok(back) if back == *quality => Ok(text),
        _ => Err(refuse("a number is not finite".to_owned())),
    }
}

/// One row per finding of each recording and of its channels, in the order given.
///
/// # Errors
/// None for values that [`recordings_to_batch`] and [`channels_to_batch`] take.
pub fn findings_to_batch(recordings: &[Recording]) -> Result<RecordBatch, ColumnsError> {
    let mut rows: Vec<(&str, &str, &Finding)> = Vec::new();
    for recording in recordings {
        let id = recording.recording_id.0.as_str();
        for channel in &recording.channels {
            let found = channel.quality.findings.iter();
            rows.extend(found.map(|finding| (id, channel.topic.as_str(), finding)));
        }
        let found = recording.quality.findings.iter();
        rows.extend(found.map(|found| (id, found.subject.as_str(), &found.finding)));
    }
    let numbers = |number: fn(&Finding) -> f64| -> ArrayRef {
        Arc::new(Float64Array::from_iter_values(rows.iter().map(|row| number(row.2))))
    };
    let columns: Vec<ArrayRef> = vec![
        texts(&rows, |row| row.0.to_owned()),
        texts(&rows, |row| row.1.to_owned()),
        texts(&rows, |row| row.2.kind.as_str().to_owned()),
        numbers(|finding| finding.value),
        numbers(|finding| finding.limit),
        texts(&rows, |row| row.2.kind.unit().to_owned()),
        counts(&rows, |row| row.2.count),
        texts(&rows, |row| row.2.kind.definition().to_owned()),
        texts(&rows, |row| row.2.kind.source().to_owned()),
    ];
    Ok(RecordBatch::try_new(findings_schema(), columns)?)
}

/// The verdict as its own JSON form spells it.
fn verdict_word(verdict: QualityVerdict) -> &'static str {
    match verdict {
        QualityVerdict::Pass => "pass",
        QualityVerdict::Fail => "fail",
        QualityVerdict::Unknown => "unknown",
    }
}

fn texts<T>(rows: &[T], text: impl Fn(&T) -> String) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(rows.iter().map(text)))
}

fn times<T>(rows: &[T], time: impl Fn(&T) -> Timestamp) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| time(row).0)))
}

fn counts<T>(rows: &[T], count: impl Fn(&T) -> u64) -> ArrayRef {
    Arc::new(UInt64Array::from_iter_values(rows.iter().map(count)))
}
