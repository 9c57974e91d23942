//! One module per container, and the collector they all fill.
//!
//! Invariant: a channel's rows keep the order of the container.

pub(crate) mod intake;
pub(crate) mod mcap;
pub(crate) mod rawlog;
pub(crate) mod ros1_bag;
pub(crate) mod sniff;
pub(crate) mod trajectory;
pub(crate) mod ulog;

use std::{collections::BTreeMap, ops::Range};

use crate::{
    ChannelKey, ChannelSummary, Damage, Definition, Loss, ReadError, Samples, Summary, Table,
    TopicBatch,
    damage::{LOSSES_MAX, in_words},
    pose,
};

/// Gathers rows by channel between drains, and what the summary will say.
#[derive(Default)]
pub(crate) struct Collector {
    slots: Vec<Slot>,
    /// Sorted: the order of drains and of the summary. The table is part of the key because a
    /// file may declare one type with a schema that is understood and again with one that is not.
    slot_of_channel: BTreeMap<(ChannelKey, Table), usize>,
    pub(crate) metadata: BTreeMap<String, BTreeMap<String, String>>,
    pub(crate) warnings: Vec<String>,
    /// What is worth knowing; nothing is lost by it.
    pub(crate) notes: Vec<String>,
    /// By type and encoding of the messages.
    pub(crate) definitions: BTreeMap<(String, String), Definition>,
    pub(crate) damage: Damage,
    pub(crate) losses: Vec<Loss>,
    /// Which file of the recording is being read.
    pub(crate) file_index: u32,
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

    /// Remembers how the messages of a channel are defined; the first definition of a type stays.
    pub(crate) fn define(&mut self, channel: &ChannelKey, language: &str, text: &[u8]) {
        if text.is_empty() {
            return;
        }
        let key = (channel.message_type.clone(), channel.encoding.clone());
        self.definitions
            .entry(key)
            .or_insert_with(|| Definition { language: language.to_owned(), text: text.to_vec() });
    }

    /// With [`Damage::Keep`] an error becomes a loss.
    pub(crate) fn lose_or_refuse(
        &mut self,
        error: ReadError,
        bytes: Option<Range<u64>>,
        message_count: Option<u64>,
    ) -> Result<(), ReadError> {
        match self.damage {
            Damage::Refuse => Err(error),
            Damage::Keep => {
                self.lose(in_words(&error), bytes, message_count);
                Ok(())
            }
        }
    }

    pub(crate) fn lose(
        &mut self,
        reason: String,
        bytes: Option<Range<u64>>,
        message_count: Option<u64>,
    ) {
        let is_full = self.losses.len() >= LOSSES_MAX;
        if let (Some(last), true) = (self.losses.last_mut(), is_full) {
            last.message_count = last.message_count.zip(message_count).map(|(a, b)| a + b);
            last.bytes = match (last.bytes.take(), bytes) {
                (Some(a), Some(b)) => Some(a.start.min(b.start)..a.end.max(b.end)),
                (a, b) => a.or(b),
            };
            return;
        }
        let file_index = self.file_index;
        self.losses.push(Loss { file_index, bytes, message_count, reason });
    }

    /// True once a channel was declared.
    pub(crate) fn has_channels(&self) -> bool {
        !self.slots.is_empty()
    }

    /// Messages taken so far, of every channel.
    pub(crate) fn message_count(&self) -> u64 {
        self.slots.iter().map(|slot| slot.message_count).sum()
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
            notes: std::mem::take(&mut self.notes),
            definitions: std::mem::take(&mut self.definitions),
            losses: std::mem::take(&mut self.losses),
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
                summary.notes.push(format!(
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
