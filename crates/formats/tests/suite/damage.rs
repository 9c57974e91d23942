//! What is kept of a damaged MCAP, text or rawlog, and what the summary says was lost.

use std::ops::Range;

use mcap::{Compression, WriteOptions};
use tiepoint_formats::{Container, ReadError, Samples, TopicBatch, read_all};
use tiepoint_model::Seed;

use crate::{
    make::{MessageBytes, Wire, mcap_with, small_rawlog},
    ros1_bag::{bag, keep},
};

/// Twelve twists in several chunks.
fn whole(compression: Option<Compression>) -> Vec<u8> {
    let options = WriteOptions::new().compression(compression).chunk_size(Some(250));
    let message = |value| MessageBytes::new(Wire::CdrLittle).f64s(&[f64::from(value); 6]).bytes;
    let messages: Vec<Vec<u8>> = (0..12).map(message).collect();
    mcap_with(options, Wire::CdrLittle, "geometry_msgs/msg/Twist", &messages)
}

/// Where each chunk lies and how many messages it holds, by the summary that `mcap` reads.
fn chunks(bytes: &[u8]) -> Vec<(Range<u64>, u64)> {
    let summary = mcap::Summary::read(bytes).unwrap().unwrap();
    let mut chunks: Vec<_> = summary.chunk_indexes.iter().collect();
    chunks.sort_by_key(|index| index.chunk_start_offset);
    chunks
        .iter()
        .map(|index| {
            let start = index.chunk_start_offset;
            let messages = summary.read_message_indexes(bytes, index).unwrap();
            let count: usize = messages.values().map(Vec::len).sum();
            (start..start + index.chunk_length, count as u64)
        })
        .collect()
}

fn values(batches: &[TopicBatch]) -> Vec<f64> {
    let Some(batch) = batches.first() else { return Vec::new() };
    let Samples::Twists(rows) = &batch.samples else { panic!("{batches:?}") };
    rows.iter().map(|row| row.linear_m_per_s[0]).collect()
}

#[test]
fn keeping_a_cut_mcap_keeps_exactly_the_whole_chunks_and_says_the_rest() {
    for compression in [None, Some(Compression::Zstd), Some(Compression::Lz4)] {
        let bytes = whole(compression);
        let chunks = chunks(&bytes);
        assert!(chunks.len() > 2);
        for cut in 1..bytes.len() {
            let ends = chunks.iter().filter(|(chunk, _)| chunk.end <= cut as u64);
            let count: u64 = ends.map(|(_, count)| count).sum();
            let kept = keep(Container::Mcap, &bytes[..cut]);
            if count == 0 {
                assert!(matches!(kept, Err(ReadError::Truncated { .. })), "cut at {cut}");
                continue;
            }
            let (batches, summary) = kept.unwrap();
            let expected: Vec<f64> = (0..count).map(|value| value as f64).collect();
            assert_eq!(values(&batches), expected, "cut at {cut}");
            let [loss] = &summary.losses[..] else { panic!("{cut}: {:?}", summary.losses) };
            assert_eq!(loss.bytes.clone().unwrap().end, cut as u64);
        }
    }
}

#[test]
fn keeping_skips_a_broken_chunk_of_an_mcap_and_counts_its_messages() {
    for compression in [None, Some(Compression::Zstd)] {
        let mut bytes = whole(compression);
        let chunks = chunks(&bytes);
        let (broken, count) = chunks[1].clone();
        let at = usize::try_from(broken.end).unwrap() - 5;
        bytes[at] ^= 0x55;
        assert!(read_all(Container::Mcap, &bytes).is_err());
        let (batches, summary) = keep(Container::Mcap, &bytes).unwrap();
        let first = chunks[0].1;
        let expected: Vec<f64> = (0..12_u64)
            .filter(|value| !(first..first + count).contains(value))
            .map(|value| value as f64)
            .collect();
        assert_eq!(values(&batches), expected);
        let [loss] = &summary.losses[..] else { panic!("{:?}", summary.losses) };
        assert_eq!((loss.bytes.clone(), loss.message_count), (Some(broken), Some(count)));
    }
}

#[test]
fn an_mcap_without_index_reads_whole() {
    let options = WriteOptions::new()
        .emit_message_indexes(false)
        .emit_chunk_indexes(false)
        .emit_summary_offsets(false)
        .emit_statistics(false);
    let message = MessageBytes::new(Wire::CdrLittle).f64s(&[1.0; 6]).bytes;
    let messages = vec![message; 5];
    let bytes = mcap_with(options, Wire::CdrLittle, "geometry_msgs/msg/Twist", &messages);
    let (_, summary) = read_all(Container::Mcap, &bytes).unwrap();
    assert_eq!(summary.row_count(), 5);
}

#[test]
fn keeping_a_text_keeps_the_lines_ahead_of_the_bad_one() {
    let text = b"# a\n1 1 2 3 0 0 0 1\n2 1 2 3 0 0 0 1\n3 x\n4 1 2 3 0 0 0 1\n";
    let (batches, summary) = keep(Container::Tum, text).unwrap();
    assert_eq!(batches[0].samples.len(), 2);
    let [loss] = &summary.losses[..] else { panic!("{:?}", summary.losses) };
    assert_eq!(loss.bytes, Some(36..56));
    assert!(loss.reason.contains("line 4"), "{}", loss.reason);
}

#[test]
fn keeping_a_cut_rawlog_keeps_the_objects_ahead_of_it() {
    let log = small_rawlog().0;
    let whole = read_all(Container::Rawlog, &log).unwrap().1.row_count();
    let mut partly = 0;
    for cut in 1..log.len() {
        if let Ok((_, summary)) = keep(Container::Rawlog, &log[..cut])
            && let [loss] = &summary.losses[..]
        {
            assert!(summary.row_count() > 0 && summary.row_count() <= whole);
            assert_eq!(loss.bytes.clone().unwrap().end, cut as u64);
            partly += 1;
        }
    }
    assert!(partly > 0);
}

/// Without anything to keep the error is the answer, as without recovery.
#[test]
fn nothing_to_keep_is_an_error() {
    let mut bytes = whole(None);
    bytes[0] ^= 1;
    assert!(matches!(keep(Container::Mcap, &bytes), Err(ReadError::BadMagic { .. })));
}

/// Whatever is done to the bytes: no panic; what is kept is no more than there was, and if it is
/// less, the summary says so.
#[test]
fn no_mutation_is_kept_silently() {
    const CASES: u64 = 2_000;
    let inputs = [
        (Container::Mcap, whole(None)),
        (Container::Mcap, whole(Some(Compression::Zstd))),
        (Container::Ros1Bag, bag("none", true).bytes),
        (Container::Ros1Bag, bag("bz2", true).bytes),
        (Container::Ros1Bag, bag("lz4", false).bytes),
        (Container::Rawlog, small_rawlog().0),
    ];
    for (number, (container, bytes)) in inputs.into_iter().enumerate() {
        let mut kept_part = 0;
        for case in 0..CASES {
            let mut draws = Seed(20_260_102).for_purpose("keep").draws(number as u64, case);
            let mut bytes = bytes.clone();
            let at = draws.below(bytes.len());
            match draws.below(4) {
                0 => bytes[at] ^= 1 << draws.below(8),
                1 => bytes.truncate(at),
                2 => drop(bytes.remove(at)),
                _ => {
                    let end = (at + 4).min(bytes.len());
                    bytes[at..end].fill([0xff, 0x7f, 0x00][draws.below(3)]);
                }
            }
            let refused = read_all(container, &bytes).is_err();
            let Ok((_, summary)) = keep(container, &bytes) else { continue };
            assert_eq!(summary.losses.is_empty(), !refused, "input {number}, case {case}");
            kept_part += u64::from(refused);
        }
        assert!(kept_part > 0, "nothing of input {number} was ever kept");
    }
}
