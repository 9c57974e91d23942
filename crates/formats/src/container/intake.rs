//! From a message of any ROS container to rows: one door for MCAP, bags and databases.
//!
//! Invariant: a message either becomes rows whole, or leaves none and is an error or a loss.
//!
//! Not here: where messages come from.

use tiepoint_model::RawMessage;

use crate::{
    ChannelKey, ReadError, Samples, Table,
    container::Collector,
    message::{
        MessageKind,
        cursor::Cursor,
        decode::{Arrival, decode},
    },
};

/// How the numbers of a channel's messages are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// ROS 2.
    Cdr,
    /// ROS 1.
    Packed,
}

/// Where a channel's messages go, and by which decoder.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Route {
    slot_index: usize,
    decoder: Option<(MessageKind, Layout)>,
}

/// The route of a channel; messages stay raw without a layout or with a type that is not known.
pub(crate) fn route(out: &mut Collector, key: &ChannelKey, layout: Option<Layout>) -> Route {
    let decoder =
        layout.and_then(|layout| Some((MessageKind::of_name(&key.message_type)?, layout)));
    let table = decoder.map_or(Table::Raw, |(kind, _)| kind.table());
    Route { slot_index: out.slot_index(key, table), decoder }
}

/// Takes one message.
pub(crate) fn take(
    out: &mut Collector,
    route: Route,
    arrival: &Arrival,
    payload: &[u8],
) -> Result<(), ReadError> {
    let slot = out.slot(route.slot_index);
    let kept = slot.samples.len();
    let decoded = match (route.decoder, &mut slot.samples) {
        (Some((kind, layout)), rows) => match layout {
            Layout::Cdr => Cursor::cdr(payload),
            Layout::Packed => Ok(Cursor::packed(payload)),
        }
        .and_then(|cursor| decode(kind, cursor, arrival, rows)),
        (None, Samples::Raw(rows)) => {
            rows.push(RawMessage { stamps: arrival.stamps, payload: payload.to_vec() });
            Ok(())
        }
        // A route's slot is of the table of its decoder, and of `raw` without one.
        (None, _) => Ok(()),
    };
    match decoded {
        Ok(()) => {
            slot.message_count += 1;
            Ok(())
        }
        Err(source) => {
            slot.samples.truncate(kept);
            let error = ReadError::Message {
                topic: slot.channel.topic.clone(),
                message_type: slot.channel.message_type.clone(),
                message_index: slot.message_count,
                offset_bytes: arrival.record_offset_bytes,
                source,
            };
            let record = arrival.record_offset_bytes..arrival.record_end_bytes;
            // A row of a database is no range of bytes.
            out.lose_or_refuse(error, Some(record).filter(|record| !record.is_empty()), Some(1))
        }
    }
}

/// The topic and how many of its messages were taken, for errors about the next.
pub(crate) fn next_message(out: &mut Collector, route: Route) -> (String, u64) {
    let slot = out.slot(route.slot_index);
    (slot.channel.topic.clone(), slot.message_count)
}
