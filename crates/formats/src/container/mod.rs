//! One module per container, and the collector they all fill.
//!
//! Invariant: a channel's rows keep the order of the container.

pub(crate) mod mcap;
pub(crate) mod rawlog;
pub(crate) mod sniff;
pub(crate) mod trajectory;
pub(crate) mod ulog;

use std::collections::BTreeMap;

use crate::{ChannelKey, ChannelSummary, Samples, Summary, Table, TopicBatch, pose};

/// Gathers rows by channel between drains, and what the summary will say.
#[derive(Default)]
pub(crate) struct Collector {
    slots: Vec<Slot>,
    /// Sorted: the order of drains and of the summary. The table is part of the key because a
    /// file may declare one type with a schema that is understood and again with one that is not.
    slot_of_channel: BTreeMap<(ChannelKey, Table), usize>,
    pub(crate) metadata: BTreeMap<String, BTreeMap<String, String>>,
    pub(crate) warnings: Vec<String>,
}

/// One channel.
pub(crate) struct Slot {
    pub(crate) channel: ChannelKey,
    pub(crate) samples: Samples,
    pub(crate) message_count: u64,
    drained_count: u64,
    without_rotation_count: u64,
}

impl Collector {
    /// The slot of a channel, made if there is none.
    pub(crate) fn slot_index(&mut self, channel: &ChannelKey, table: Table) -> usize {
        let key = (channel.clone(), table);
        *self.slot_of_channel.entry(key).or_insert_with(|| {
            self.slots.push(Slot {
                channel: channel.clone(),
                samples: Samples::empty(table),
                message_count: 0,
                drained_count: 0,
                without_rotation_count: 0,
            });
            self.slots.len() - 1
        })
    }

    /// A slot by an index from [`Self::slot_index`].
    pub(crate) fn slot(&mut self, index: usize) -> &mut Slot {
        &mut self.slots[index]
    }

    pub(crate) fn drain(&mut self) -> Vec<TopicBatch> {
        let mut batches = Vec::new();
        for ((channel, table), index) in &self.slot_of_channel {
            let slot = &mut self.slots[*index];
            if slot.samples.is_empty() {
                continue;
            }
            slot.count_missing_rotations();
            let samples = std::mem::replace(&mut slot.samples, Samples::empty(*table));
            let first_sequence = slot.drained_count;
            slot.drained_count += samples.len() as u64;
            batches.push(TopicBatch { channel: channel.clone(), first_sequence, samples });
        }
        batches
    }

    pub(crate) fn summary(&mut self) -> Summary {
        let mut summary = Summary {
            metadata: std::mem::take(&mut self.metadata),
            warnings: std::mem::take(&mut self.warnings),
            ..Summary::default()
        };
        for ((channel, table), index) in &self.slot_of_channel {
            let slot = &mut self.slots[*index];
            let row_count = slot.drained_count + slot.samples.len() as u64;
            let message_count = slot.message_count;
            if *table == Table::Raw && message_count > 0 {
                *summary.raw_message_counts.entry(channel.message_type.clone()).or_default() +=
                    message_count;
            }
            let missing = slot.without_rotation_count + slot.missing_rotations();
            if missing > 0 {
                summary.warnings.push(format!(
                    "{missing} rows on `{}` have a quaternion of length zero or not finite; \
                     their rotation is NaN",
                    channel.topic
                ));
            }
            summary.channels.push(ChannelSummary {
                channel: channel.clone(),
                table: *table,
                message_count,
                row_count,
            });
        }
        summary
    }
}

impl Slot {
    fn missing_rotations(&self) -> u64 {
        let count = match &self.samples {
            Samples::Poses(rows) => {
                rows.iter().filter(|row| pose::has_no_rotation(&row.frame_from_child)).count()
            }
            Samples::Transforms(rows) => {
                rows.iter().filter(|row| pose::has_no_rotation(&row.parent_from_child)).count()
            }
            _ => 0,
        };
        count as u64
    }

    fn count_missing_rotations(&mut self) {
        self.without_rotation_count += self.missing_rotations();
    }
}
