//! Laws of the quality of a channel.

use proptest::{collection::vec, prelude::*};
use tiepoint_measure::quality::{QualityAccumulator, ValueCounts, channel_quality};
use tiepoint_model::{
    Timestamp,
    quality::{FindingKind, QualityVerdict},
};

fn times(stamps_ns: &[i64]) -> Vec<Timestamp> {
    stamps_ns.iter().copied().map(Timestamp).collect()
}

proptest! {
    #[test]
    fn quality_does_not_depend_on_the_chunks(
        stamps_ns in vec(0_i64..10_000, 0..200),
        chunk_length in 1_usize..20,
        nan_count in 0_u64..5,
    ) {
        let log_times = times(&stamps_ns);
        let values = ValueCounts { value_count: 1, nan_count: 0, out_of_range_count: 0 };
        let whole = {
            let count = stamps_ns.len() as u64;
            let values = ValueCounts { value_count: count, nan_count, out_of_range_count: 0 };
            channel_quality(&log_times, values)
        };
        let mut accumulator = QualityAccumulator::new();
        accumulator.add_values(ValueCounts { nan_count, ..ValueCounts::default() });
        for chunk in log_times.chunks(chunk_length) {
            accumulator.add_log_times(chunk);
            for _ in chunk {
                accumulator.add_values(values);
            }
        }
        prop_assert_eq!(accumulator.finish(), whole);
    }

    #[test]
    fn a_steady_channel_passes_at_any_rate(
        interval_ns in 1_i64..1_000_000_000_000,
        count in 3_i64..100,
        start_ns in -1_000_000_000_000_000..1_000_000_000_000_000_000_i64,
    ) {
        let stamps_ns: Vec<i64> = (0..count).map(|i| start_ns + i * interval_ns).collect();
        let quality = channel_quality(&times(&stamps_ns), ValueCounts::default());
        prop_assert_eq!(quality.verdict, QualityVerdict::Pass);
        let expected_hz = 1e9 / interval_ns as f64;
        prop_assert!((quality.rate_hz.unwrap() / expected_hz - 1.0).abs() < 1e-12);
        prop_assert_eq!((quality.gap_count, quality.gap_share), (0, Some(0.0)));
    }

    /// Take messages out of a steady channel, one here and one there: as many are found missing.
    #[test]
    fn removing_messages_is_counted_exactly(
        interval_ns in 10_i64..1_000_000_000,
        removed in proptest::collection::btree_set(1_i64..99, 0..20),
    ) {
        let stamps_ns: Vec<i64> =
            (0..100).filter(|i| !removed.contains(i)).map(|i| i * interval_ns).collect();
        let quality = channel_quality(&times(&stamps_ns), ValueCounts::default());
        let expected = removed.len() as f64 / 100.0;
        prop_assert!((quality.gap_share.unwrap() - expected).abs() < 1e-12);
        let is_found = quality.findings.iter().any(|finding| finding.kind == FindingKind::Gaps);
        prop_assert_eq!(is_found, removed.len() > 5);
    }

    #[test]
    fn a_shift_of_the_clock_changes_no_quality(
        stamps_ns in vec(0_i64..10_000, 0..100),
        shift_ns in -1_000_000_000_000_000_000..1_000_000_000_000_000_000_i64,
    ) {
        let shifted: Vec<i64> = stamps_ns.iter().map(|stamp| stamp + shift_ns).collect();
        let values = ValueCounts::default();
        prop_assert_eq!(
            channel_quality(&times(&stamps_ns), values),
            channel_quality(&times(&shifted), values)
        );
    }
}
