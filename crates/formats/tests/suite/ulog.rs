//! ULogs made byte by byte: what is read, and what is refused.

use tiepoint_formats::{Container, ReadError, Samples, Table, TopicBatch, read_all};
use tiepoint_model::{ErrorKind, Timestamp};

use crate::laws::read_in_pieces;
use crate::make::{UlogBytes, small_ulog};

fn batch<'a>(batches: &'a [TopicBatch], topic: &str) -> &'a TopicBatch {
    batches.iter().find(|batch| batch.channel.topic == topic).unwrap()
}

fn numbers(batch: &TopicBatch) -> Vec<(i64, Vec<f64>)> {
    let Samples::Signals(rows) = &batch.samples else { panic!("{:?}", batch.samples) };
    rows.iter().map(|row| (row.stamps.log.0, row.values.clone())).collect()
}

#[test]
fn every_field_is_read_with_its_flattened_name() {
    let (batches, summary) = read_all(Container::Ulog, &small_ulog().0).unwrap();
    let thing = batch(&batches, "thing/1");
    let Samples::Signals(rows) = &thing.samples else { panic!("{thing:?}") };
    let names: Vec<&str> = rows[0].fields.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(
        names,
        ["timestamp", "a", "b[0]", "b[1]", "in[0].u", "in[0].v", "in[1].u", "in[1].v", "flag"]
    );
    let expected = [2_000.0, -3.0, 1.5, f64::from(0.1_f32), 7.0, -1.0, 8.0, -2.0, 1.0];
    assert_eq!(rows[0].values, expected);
    assert_eq!(rows[0].stamps.log, Timestamp(2_000_000));
    assert_eq!(rows[0].value("in[1].v"), Some(-2.0));
    // The same message without its trailing padding.
    assert_eq!(rows[1].values[1..], expected[1..]);
    assert_eq!(thing.channel.message_type, "thing");
    assert_eq!(summary.metadata["ulog"]["start_time_us"], "77");
}

#[test]
fn the_typed_view_lies_beside_the_numbers() {
    let (batches, _) = read_all(Container::Ulog, &small_ulog().0).unwrap();
    let imu = batch(&batches, "sensor_combined/imu");
    assert_eq!(imu.table(), Table::Imu);
    let Samples::Imu(rows) = &imu.samples else { panic!("{imu:?}") };
    assert_eq!(rows[0].angular_rate_rad_per_s, [1.0, 2.0, 3.0]);
    assert_eq!(rows[0].acceleration_m_per_s2, [4.0, 5.0, 6.0]);
    assert_eq!(rows[0].frame_id, "base_link_frd");
    assert!(rows[1].acceleration_m_per_s2.iter().all(|value| value.is_nan()));
    assert_eq!(numbers(batch(&batches, "sensor_combined")).len(), 2);
    let Samples::Poses(rows) = &batch(&batches, "vehicle_attitude/poses").samples else { panic!() };
    // A quarter turn about the body's z: w = z = sqrt(1/2), both rounded to f32 in the log.
    let rotation = rows[0].frame_from_child.rotation;
    assert!((rotation[(1, 0)] - 1.0).abs() < 1e-7 && rotation[(0, 0)].abs() < 1e-7);
    assert!(rows[0].frame_from_child.translation_m.iter().all(|value| value.is_nan()));
    assert_eq!(
        (rows[0].frame_id.as_str(), rows[0].child_frame_id.as_str()),
        ("map_ned", "base_link_frd")
    );
    assert_eq!(rows[0].stamps.sensor, Some(Timestamp(2_400_000)));
}

#[test]
fn fixes_and_magnetic_fields_are_in_degrees_metres_and_tesla() {
    let (batches, _) = read_all(Container::Ulog, &small_ulog().0).unwrap();
    let Samples::Gnss(rows) = &batch(&batches, "sensor_gps/gnss").samples else { panic!() };
    let place = [rows[0].latitude_deg, rows[0].longitude_deg, rows[0].altitude_m];
    assert_eq!((place, rows[0].status), ([47.3977418, 8.5455938, 488.123], 2));
    let Samples::Magnetic(rows) = &batch(&batches, "sensor_mag/magnetic").samples else { panic!() };
    assert_eq!(rows[0].field_t, [0.25e-4, -0.5e-4, 0.0]);
}

#[test]
fn what_lies_beside_the_messages_is_kept() {
    let (batches, summary) = read_all(Container::Ulog, &small_ulog().0).unwrap();
    assert_eq!(numbers(batch(&batches, "dropouts")), [(3_000_000, vec![250.0])]);
    assert_eq!(summary.metadata["ulog"]["dropout_ms"], "250");
    assert!(summary.notes.iter().any(|text| text.contains("250 ms")), "{summary:?}");
    let changes = batch(&batches, "parameter_changes");
    assert_eq!(numbers(changes), [(3_000_000, vec![0.5])]);
    let Samples::Signals(rows) = &changes.samples else { panic!() };
    assert_eq!(rows[0].fields[0].name, "GAIN");
    assert_eq!(summary.metadata["ulog.parameters"]["GAIN"], "0.25");
    assert_eq!(summary.metadata["ulog.parameter_defaults.system"]["GAIN"], "0.75");
    assert_eq!(summary.metadata["ulog.info"]["sys_name"], "PX4");
    assert_eq!(summary.metadata["ulog.info"]["perf[0000]"], "one two");
    assert_eq!(summary.metadata["ulog.info"]["perf[0001]"], "three");
    assert_eq!(summary.metadata["ulog.info"]["hw"], "01ff");
    let text = &batch(&batches, "logged_string").samples;
    let Samples::Raw(rows) = text else { panic!("{text:?}") };
    assert_eq!(&rows[0].payload[9..], b"take off");
    assert_eq!(rows[0].stamps.log, Timestamp(2_500_000));
    let Samples::Raw(rows) = &batch(&batches, "mavlink_log").samples else { panic!() };
    assert_eq!(rows[0].payload.len(), 8 + 5);
    assert_eq!(summary.metadata["ulog.utc_reference"]["utc_time_us"], "1700000000000000");
    assert_eq!(summary.metadata["ulog.utc_reference"]["log_time_ns"], "2600000");
}

#[test]
fn a_ulog_gives_the_same_however_it_is_cut() {
    let whole = small_ulog().0;
    let expected = read_all(Container::Ulog, &whole).unwrap();
    for size in 1..40 {
        let (batches, summary) = read_in_pieces(Container::Ulog, &whole, &[size, 3]);
        // As text: a NaN equals itself.
        assert_eq!(format!("{batches:?}"), format!("{:?}", expected.0), "{size}");
        assert_eq!(summary, expected.1);
    }
}

#[test]
fn an_appended_section_starts_behind_a_cut_record() {
    let log = UlogBytes::new();
    let flags_at = log.0.len();
    let log = log.flags(1, [0; 3]).format("n:uint64_t timestamp;int8_t a;").subscribe(0, 1, "n");
    let mut bytes = log.data(1, &[&9_u64.to_le_bytes()[..], &[5]].concat()).0;
    bytes.extend([200, 0, b'D', 1, 0]);
    let appended_at = bytes.len() as u64;
    bytes[flags_at + 3 + 16..][..8].copy_from_slice(&appended_at.to_le_bytes());
    bytes.extend(UlogBytes(Vec::new()).data(1, &[&10_u64.to_le_bytes()[..], &[6]].concat()).0);
    let (batches, summary) = read_all(Container::Ulog, &bytes).unwrap();
    assert_eq!(numbers(&batches[0]), [(9_000, vec![9.0, 5.0]), (10_000, vec![10.0, 6.0])]);
    assert!(summary.warnings[0].starts_with("5 bytes of a cut record"), "{summary:?}");
    for size in 1..9 {
        assert_eq!(read_in_pieces(Container::Ulog, &bytes, &[size]).0, batches);
    }
    let error = read_all(Container::Ulog, &bytes[..appended_at as usize - 5]).unwrap_err();
    assert!(matches!(error, ReadError::Truncated { .. }), "{error}");
}

#[test]
fn what_is_no_ulog_is_refused_with_its_byte() {
    let refused = |log: UlogBytes| {
        let error = read_all(Container::Ulog, &log.0).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert!(!error.hint().is_empty());
        error.to_string()
    };
    let new = UlogBytes::new;
    let mut bad = new();
    bad.0[3] = b'x';
    expect_test::expect!["the ulog has the wrong magic bytes at byte 0"].assert_eq(&refused(bad));
    expect_test::expect![
        "the ulog is broken at byte 16: incompatible flags 0200000000000000 are not all known"
    ]
    .assert_eq(&refused(new().flags(2, [0; 3])));
    expect_test::expect![
        "the ulog is broken at byte 16: `x` is used and its format was not declared"
    ]
    .assert_eq(&refused(new().subscribe(0, 1, "x")));
    expect_test::expect!["a message at byte 16 is on channel 9, which is not declared"]
        .assert_eq(&refused(new().data(9, b"")));
    expect_test::expect!["the ulog is broken at byte 16: no record is of type 0x00"]
        .assert_eq(&refused(new().record(0, b"")));
    let of_itself = new().format("n:uint64_t timestamp;n n;").subscribe(0, 1, "n");
    expect_test::expect!["the ulog is broken at byte 44: `n` is nested more than 16 deep"]
        .assert_eq(&refused(of_itself));
    let huge = new().format("n:uint64_t timestamp;float[4000000000] a;").subscribe(0, 1, "n");
    expect_test::expect!["the ulog is broken at byte 60: a format describes more than 65533 bytes"]
        .assert_eq(&refused(huge));
    let timeless = new().format("n:float a;").subscribe(0, 1, "n");
    expect_test::expect![
        "the ulog is broken at byte 29: the format of `n` has no `uint64_t timestamp`"
    ]
    .assert_eq(&refused(timeless));
    let changed = new().format("n:float a;").format("n:double a;");
    expect_test::expect!["the ulog is broken at byte 29: `n` is declared twice, not alike"]
        .assert_eq(&refused(changed));
    let short = new().format("n:uint64_t timestamp;").subscribe(0, 1, "n").data(1, b"123");
    assert!(refused(short).starts_with("message 0 on `n` (n), in the record at byte 47"));
    let late = new().format("n:uint64_t timestamp;").subscribe(0, 1, "n").data(1, &[0xff; 8]);
    assert!(refused(late).contains("after year 2262"));
    // The crate `px4-ulog` 0.6.1 panics here.
    assert!(refused(new().record(b'P', b"")).contains("information.key_len"));
}

#[test]
fn a_ulog_cut_anywhere_is_refused_or_ends_between_records() {
    let whole = small_ulog().0;
    let row_count = read_all(Container::Ulog, &whole).unwrap().1.row_count();
    for cut in 1..whole.len() {
        match read_all(Container::Ulog, &whole[..cut]) {
            Ok((_, summary)) => assert!(summary.row_count() <= row_count),
            Err(ReadError::Truncated { offset_bytes, .. }) => assert!(offset_bytes < cut as u64),
            Err(error) => panic!("cut at {cut}: {error}"),
        }
    }
}
