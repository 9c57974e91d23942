//! CSV and Parquet: what a projection makes of them, and what is refused where.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray},
    datatypes::DataType,
};
use tiepoint_formats::{
    Container, Limits, ReadError, Reader, Samples, Summary, TopicBatch,
    tabular::{ParquetReader, Projection, read_columns},
};
use tiepoint_model::{ErrorKind, Timestamp};

use crate::make::{parquet_of, small_csv, small_parquet, small_projection};

fn read_csv(text: &[u8], projection: &str) -> Result<(Vec<TopicBatch>, Summary), ReadError> {
    let mut reader = Reader::of_csv(projection.parse()?, Limits::default());
    reader.feed(text)?;
    let summary = reader.finish()?;
    Ok((reader.drain(), summary))
}

fn read_parquet(bytes: Vec<u8>, projection: &Projection) -> Result<Vec<TopicBatch>, ReadError> {
    let bytes = bytes::Bytes::from(bytes);
    let mut reader = ParquetReader::new(bytes, Some(projection), Limits::default())?;
    let mut batches = Vec::new();
    while let Some(more) = reader.next_batches()? {
        batches.extend(more);
    }
    reader.finish()?;
    Ok(batches)
}

#[test]
fn a_csv_becomes_the_channels_of_its_projection() {
    let (batches, summary) = read_csv(small_csv(), small_projection()).unwrap();
    let topics: Vec<&str> = batches.iter().map(|batch| batch.channel.topic.as_str()).collect();
    assert_eq!(topics, ["battery", "imu", "place"]);
    let Samples::Signals(rows) = &batches[0].samples else { panic!() };
    assert_eq!(rows[0].fields[0].unit, "V");
    assert_eq!(rows[0].values, [12.5, 3.0]);
    assert!(rows[1].values[1].is_nan() && rows[2].values[0].is_nan());
    assert_eq!(rows[0].stamps.log, Timestamp(1_500_000));
    assert_eq!(rows[0].stamps.sensor, Some(Timestamp(1_500_000)));
    let Samples::Imu(rows) = &batches[1].samples else { panic!() };
    assert_eq!(rows[0].acceleration_m_per_s2, [9.806_65, 0.0, 0.0]);
    assert_eq!(rows[0].angular_rate_rad_per_s[2], std::f64::consts::PI / 180.0 * 90.0);
    assert_eq!((rows[0].frame_id.as_str(), rows[0].orientation_xyzw), ("imu_link", None));
    let Samples::Poses(rows) = &batches[2].samples else { panic!() };
    assert_eq!(rows[0].frame_from_child.translation_m.x, 1.5);
    // One cell is empty, one is the projection's own word for missing.
    assert!(summary.notes.contains(&"1 cells of `battery` are missing; they are NaN".into()));
}

#[test]
fn a_csv_reads_alike_in_any_pieces_with_a_mark_and_other_line_ends() {
    let plain = small_csv();
    let expected = format!("{:?}", read_csv(plain, small_projection()).unwrap());
    let carriage = String::from_utf8(plain.to_vec()).unwrap().replace('\n', "\r\n");
    let marked = [b"\xef\xbb\xbf", carriage.as_bytes()].concat();
    for bytes in [plain, carriage.as_bytes(), &marked] {
        for size in 1..50 {
            let mut reader = Reader::of_csv(small_projection().parse().unwrap(), Limits::default());
            bytes.chunks(size).for_each(|piece| reader.feed(piece).unwrap());
            let summary = reader.finish().unwrap();
            assert_eq!(format!("{:?}", (reader.drain(), summary)), expected, "{size}");
        }
    }
}

#[test]
fn a_wrong_cell_is_refused_with_line_and_column() {
    let projection = "[time]\ncolumn = \"t\"\nunit = \"s\"\nclock = \"log\"\n\
                      [[channel]]\ntopic = \"x\"\ntable = \"signals\"\ncolumns = [\"a\"]\n";
    let said = |text: &str| read_csv(text.as_bytes(), projection).unwrap_err().to_string();
    expect_test::expect!["line 3, column 2: `x` is no number"].assert_eq(&said("t,a\n1,2\n2,x\n"));
    expect_test::expect!["line 2, column 1: the time is missing"].assert_eq(&said("t,a\n,2\n"));
    expect_test::expect!["line 3, column 2: 1 cells where the header has 2"]
        .assert_eq(&said("t,a\n1,2\n2\n"));
    expect_test::expect!["line 4, column 3: 3 cells where the header has 2"]
        .assert_eq(&said("t,a\n1,\"2\n\"\n2,3,4\n"));
    expect_test::expect!["there is no column `a`; there are `t`, `b`"]
        .assert_eq(&said("t,b\n1,2\n"));
    expect_test::expect!["the column `a` is in the header 2 times"]
        .assert_eq(&said("t,a,a\n1,2,3\n"));
    expect_test::expect!["there is no data in it"].assert_eq(&said("t,a\n"));
    let long = format!("t,a\n1,\"{}", "x\n".repeat(200_000));
    assert!(said(&long).contains("a quote is not closed"));
}

#[test]
fn times_are_exact_in_every_unit() {
    for (unit, text, time_ns) in [
        ("s", "1700000000.123456789", 1_700_000_000_123_456_789),
        ("ms", "1.5e3", 1_500_000_000),
        ("us", "-3", -3_000),
        ("ns", "1403715524907143116", 1_403_715_524_907_143_116),
    ] {
        let projection = format!(
            "[time]\ncolumn = \"t\"\nunit = \"{unit}\"\nclock = \"log\"\n\
             [[channel]]\ntopic = \"x\"\ntable = \"signals\"\ncolumns = [\"a\"]\n"
        );
        let text = format!("t,a\n{text},NaN\n");
        let (batches, _) = read_csv(text.as_bytes(), &projection).unwrap();
        assert_eq!(batches[0].samples.stamps_at(0).unwrap().log, Timestamp(time_ns), "{unit}");
    }
}

#[test]
fn a_projection_that_cannot_be_meant_is_refused() {
    let said = |channel: &str| {
        let text = format!(
            "[time]\ncolumn = \"t\"\nunit = \"s\"\nclock = \"log\"\n[[channel]]\ntopic = \"x\"\n{channel}"
        );
        let error = read_csv(b"t,a,b,c\n1,2,3,4\n", &text).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(!error.hint().is_empty());
        error.to_string()
    };
    let poses = |rest: &str| said(&format!("table = \"poses\"\n{rest}"));
    expect_test::expect!["channel `x`: the field `y_m` is not given"]
        .assert_eq(&poses("fields = { x_m = \"a\" }"));
    expect_test::expect![
        "channel `x`: `poses` has no field `x`; it has x_m, y_m, z_m, qx, qy, qz, qw"
    ]
    .assert_eq(&poses("fields = { x = \"a\" }"));
    expect_test::expect!["channel `x`: `deg` of `a` is no unit for m"].assert_eq(&poses(
        "fields = { x_m = \"a\", y_m = \"b\", z_m = \"c\" }\nunits = { a = \"deg\" }",
    ));
    assert!(said("table = \"scans\"").contains("no columns make the table `scans`"));
    assert!(said("table = \"imu\"\nspeed = 1").contains("unknown field `speed`"));
}

#[test]
fn without_a_projection_the_error_prints_one_that_works() {
    let csv: &[u8] = b"# stamp [ns]; volt\n5; 1.5\n";
    assert_eq!(Container::detect("x", csv).unwrap(), Container::Csv);
    let mut reader = Reader::new(Container::Csv, Limits::default());
    let Err(ReadError::NeedsProjection { example, .. }) = reader.feed(csv) else { panic!() };
    expect_test::expect![[r#"
        delimiter = ";"

        [time]
        column = "stamp [ns]"
        unit = "ns"        # ns, us, ms or s
        clock = "log"     # log, or sensor if it is when the sensor measured

        [[channel]]
        topic = "signals"
        table = "signals"
        columns = ["volt"]
        units = {}         # for instance { volt = "V" }

        # [[channel]]
        # topic = "imu"
        # table = "imu"   # or poses, twists, gnss, magnetic
        # frame_id = "imu_link"
        # fields = { angular_rate_x_rad_per_s = "COLUMN", angular_rate_y_rad_per_s = "COLUMN", angular_rate_z_rad_per_s = "COLUMN", acceleration_x_m_per_s2 = "COLUMN", acceleration_y_m_per_s2 = "COLUMN", acceleration_z_m_per_s2 = "COLUMN", .. }
    "#]].assert_eq(&example);
    let (batches, _) = read_csv(csv, &example).unwrap();
    let Samples::Signals(rows) = &batches[0].samples else { panic!() };
    assert_eq!((rows[0].stamps.log, rows[0].values.as_slice()), (Timestamp(5), &[1.5][..]));
}

#[test]
fn a_parquet_gives_what_the_same_csv_gives() {
    let projection = small_projection().parse().unwrap();
    let (expected, _) = read_csv(small_csv(), small_projection()).unwrap();
    let batches = read_parquet(small_parquet(), &projection).unwrap();
    assert_eq!(batches.len(), expected.len());
    for (ours, theirs) in batches.iter().zip(&expected) {
        assert_eq!(ours.channel.topic, theirs.channel.topic);
        assert_eq!(format!("{:?}", ours.samples), format!("{:?}", theirs.samples));
    }
    assert_eq!(Container::detect("x", &small_parquet()).unwrap(), Container::Parquet);
    let none = ParquetReader::new(bytes::Bytes::from(small_parquet()), None, Limits::default());
    assert!(matches!(none, Err(ReadError::NeedsProjection { .. })));
}

#[test]
fn a_parquet_cut_anywhere_is_refused() {
    let whole = small_parquet();
    let projection = small_projection().parse().unwrap();
    for cut in 0..whole.len() {
        let error = read_parquet(whole[..cut].to_vec(), &projection).unwrap_err();
        assert!(matches!(error, ReadError::Malformed { .. } | ReadError::Empty), "{cut}: {error}");
    }
}

#[test]
fn columns_of_numbers_are_read_by_name() {
    let csv = b"name,a,b\nx,1,\ny,2,nan\n\"z,z\",3,-1e3\n";
    let columns = read_columns(Container::Csv, csv, &["b", "a"], Limits::default()).unwrap();
    assert_eq!((columns[0].name.as_str(), columns[0].null_count), ("b", 1));
    assert!(columns[0].values[0].is_nan() && columns[0].values[1].is_nan());
    assert_eq!(columns[1].values, [1.0, 2.0, 3.0]);
    let all = read_columns(Container::Csv, csv, &[], Limits::default()).unwrap();
    assert_eq!(all.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    let error = read_columns(Container::Csv, csv, &["name"], Limits::default()).unwrap_err();
    expect_test::expect!["line 2, column 1: `x` is no number"].assert_eq(&error.to_string());

    let columns: [(&str, ArrayRef); 4] = [
        ("f", Arc::new(Float64Array::from(vec![Some(0.5), None, Some(f64::NAN)]))),
        ("i", Arc::new(Int32Array::from(vec![1, 2, 3]))),
        ("l", Arc::new(Int64Array::from(vec![1_i64 << 60, 2, 3]))),
        ("s", Arc::new(StringArray::from(vec!["a", "b", "c"]))),
    ];
    let bytes = parquet_of(&RecordBatch::try_from_iter(columns).unwrap());
    let all = read_columns(Container::Parquet, &bytes, &[], Limits::default()).unwrap();
    assert_eq!(all.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(), ["f", "i", "l"]);
    assert_eq!((all[0].null_count, all[0].values[0]), (1, 0.5));
    assert_eq!(all[2].values[0], (1_u64 << 60) as f64);
    let picked = read_columns(Container::Parquet, &bytes, &["i", "f"], Limits::default()).unwrap();
    assert_eq!(picked[0].values, [1.0, 2.0, 3.0]);
    let error = read_columns(Container::Parquet, &bytes, &["s"], Limits::default()).unwrap_err();
    expect_test::expect!["the column `s` holds Utf8, no plain numbers"]
        .assert_eq(&error.to_string());
    assert_eq!(DataType::Utf8.to_string(), "Utf8");
}
