//! What laws are tried with: random samples for every table, and how results are compared.

use std::collections::BTreeMap;

use nalgebra::Vector3;
use proptest::{collection::vec, option, prelude::*};
use tiepoint_formats::{ChannelKey, Container, Reader, Samples, Summary, Table, TopicBatch};
use tiepoint_model::{
    BeaconRange, CameraIntrinsics, GnssFix, GridSample, ImageRegion, ImageSample, ImuSample,
    JointSample, MagneticSample, PathPose, PathSample, PayloadBase, PayloadPlace, PointCloud,
    Pose3, PoseSample, RangeReading, RawMessage, Scan, SignalField, SignalSample, Stamps,
    Timestamp, TransformSample, TwistSample,
};

use crate::make::key;

/// 200 cases; nothing is written to disk when one fails.
pub(crate) fn cases() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) }
}

/// Stamps that MCAP and a ROS header can hold. Few log times, so that some are equal and some
/// run back.
pub(crate) fn stamps() -> impl Strategy<Value = Stamps> {
    let sensor = (-2_147_483_648_i64 * 1_000_000_000..2_147_483_648 * 1_000_000_000)
        .prop_filter("a stamp of zero means none", |time_ns| *time_ns != 0);
    (0..4_i64, 0..3_i64, option::of(sensor)).prop_map(|(log, publish, sensor)| Stamps {
        log: Timestamp(i64::MAX - log),
        publish: Some(Timestamp(publish)),
        sensor: sensor.map(Timestamp),
    })
}

fn name() -> impl Strategy<Value = String> {
    "[a-zé_/]{0,6}"
}

fn f32s() -> impl Strategy<Value = Vec<f32>> {
    vec(prop_oneof![any::<f32>(), Just(f32::NAN), Just(f32::INFINITY), Just(-0.0)], 0..5)
}

/// A value that survives as `f32`.
fn narrow() -> impl Strategy<Value = f64> {
    any::<f32>().prop_map(f64::from)
}

fn pose() -> impl Strategy<Value = Pose3> {
    (any::<[f64; 3]>(), [-1.0..1.0_f64, -1.0..1.0, -1.0..1.0, -1.0..1.0]).prop_map(|(p, q)| {
        Pose3::from_quaternion_xyzw(p, q)
            .unwrap_or(Pose3 { translation_m: Vector3::from(p), ..Pose3::identity() })
    })
}

fn rows<T: std::fmt::Debug>(row: impl Strategy<Value = T>) -> impl Strategy<Value = Vec<T>> {
    vec(row, 0..6)
}

/// Samples of a table that its usual ROS 2 message can hold to the bit, rotations apart.
pub(crate) fn samples(table: Table) -> BoxedStrategy<Samples> {
    let head = (stamps(), name());
    match table {
        Table::Scans => rows(
            (head, [narrow(), narrow(), narrow(), narrow(), narrow()], f32s(), f32s()).prop_map(
                |((stamps, frame_id), n, ranges_m, intensities)| Scan {
                    stamps,
                    frame_id,
                    angle_min_rad: n[0],
                    angle_increment_rad: n[1],
                    range_min_m: n[2],
                    range_max_m: n[3],
                    time_increment_s: n[4],
                    ranges_m,
                    intensities,
                },
            ),
        )
        .prop_map(Samples::Scans)
        .boxed(),
        Table::Points => rows((head, vec(any::<[f32; 4]>(), 0..4), any::<bool>()).prop_map(
            |((stamps, frame_id), points, has_intensity)| PointCloud {
                stamps,
                frame_id,
                x_m: points.iter().map(|p| p[0]).collect(),
                y_m: points.iter().map(|p| p[1]).collect(),
                z_m: points.iter().map(|p| p[2]).collect(),
                intensity: points.iter().filter(|_| has_intensity).map(|p| p[3]).collect(),
            },
        ))
        .prop_map(Samples::Points)
        .boxed(),
        Table::Imu => rows(
            (head, option::of(any::<[f64; 4]>()), any::<[f64; 3]>(), any::<[f64; 3]>()).prop_map(
                |((stamps, frame_id), orientation_xyzw, rate, acceleration)| ImuSample {
                    stamps,
                    frame_id,
                    orientation_xyzw,
                    angular_rate_rad_per_s: rate,
                    acceleration_m_per_s2: acceleration,
                },
            ),
        )
        .prop_map(Samples::Imu)
        .boxed(),
        _ => moving_samples(table),
    }
}

/// The tables of poses and velocities, and of what is left.
fn moving_samples(table: Table) -> BoxedStrategy<Samples> {
    let head = (stamps(), name());
    match table {
        Table::Poses => rows((head, name(), pose()).prop_map(
            |((stamps, frame_id), child_frame_id, frame_from_child)| PoseSample {
                stamps,
                frame_id,
                child_frame_id,
                frame_from_child,
            },
        ))
        .prop_map(Samples::Poses)
        .boxed(),
        Table::Transforms => rows((head, name(), pose()).prop_map(
            |((stamps, parent_frame_id), child_frame_id, parent_from_child)| TransformSample {
                stamps,
                parent_frame_id,
                child_frame_id,
                parent_from_child,
            },
        ))
        .prop_map(Samples::Transforms)
        .boxed(),
        Table::Twists => rows((head, any::<[f64; 3]>(), any::<[f64; 3]>()).prop_map(
            |((stamps, frame_id), linear_m_per_s, angular_rad_per_s)| TwistSample {
                stamps,
                frame_id,
                linear_m_per_s,
                angular_rad_per_s,
            },
        ))
        .prop_map(Samples::Twists)
        .boxed(),
        Table::Ranges => rows((head, any::<u32>(), any::<f32>(), 0..2_u8).prop_map(
            |((stamps, frame_id), beacon_id, range_m, antenna)| BeaconRange {
                stamps,
                frame_id,
                beacon_id,
                range_m,
                antenna_in_base_m: [f64::from(antenna), -0.5, 1.0],
            },
        ))
        .prop_map(Samples::Ranges)
        .boxed(),
        Table::Signals => {
            let field = (name(), name(), any::<f64>());
            rows((stamps(), vec(field, 0..4)).prop_map(|(stamps, fields)| SignalSample {
                stamps,
                values: fields.iter().map(|field| field.2).collect(),
                fields:
                    fields.into_iter().map(|(name, unit, _)| SignalField { name, unit }).collect(),
            }))
            .prop_map(Samples::Signals)
            .boxed()
        }
        Table::Raw => rows((stamps(), vec(any::<u8>(), 0..9)).prop_map(|(stamps, payload)| {
            RawMessage { stamps: Stamps { sensor: None, ..stamps }, payload }
        }))
        .prop_map(Samples::Raw)
        .boxed(),
        _ => sensor_samples(table),
    }
}

fn f64s() -> impl Strategy<Value = Vec<f64>> {
    vec(prop_oneof![any::<f64>(), Just(f64::NAN), Just(-0.0)], 0..4)
}

/// A time that a ROS header can hold and that is not "none".
fn header_time() -> impl Strategy<Value = Option<Timestamp>> {
    stamps().prop_map(|stamps| stamps.sensor)
}

/// The tables of further sensors.
fn sensor_samples(table: Table) -> BoxedStrategy<Samples> {
    let head = (stamps(), name());
    match table {
        Table::Gnss => {
            rows((head, any::<(i8, u16, [f64; 3])>(), 0..4_u8, any::<[f64; 9]>()).prop_map(
                |((stamps, frame_id), (status, service, place), kind, covariance)| GnssFix {
                    stamps,
                    frame_id,
                    status,
                    service,
                    latitude_deg: place[0],
                    longitude_deg: place[1],
                    altitude_m: place[2],
                    position_covariance_enu_m2: (kind > 0).then_some(covariance),
                    position_covariance_type: kind,
                },
            ))
            .prop_map(Samples::Gnss)
            .boxed()
        }
        Table::Magnetic => {
            rows((head, any::<[f64; 3]>()).prop_map(|((stamps, frame_id), field_t)| {
                MagneticSample { stamps, frame_id, field_t }
            }))
            .prop_map(Samples::Magnetic)
            .boxed()
        }
        Table::Joints => rows((head, vec(name(), 0..4), f64s(), f64s(), f64s()).prop_map(
            |((stamps, frame_id), names, positions, velocities, efforts)| JointSample {
                stamps,
                frame_id,
                names,
                positions_rad_or_m: positions,
                velocities_rad_or_m_per_s: velocities,
                efforts_nm_or_n: efforts,
            },
        ))
        .prop_map(Samples::Joints)
        .boxed(),
        Table::RangeReadings => rows((head, any::<u8>(), any::<[f32; 4]>()).prop_map(
            |((stamps, frame_id), radiation, numbers)| RangeReading {
                stamps,
                frame_id,
                radiation,
                field_of_view_rad: numbers[0],
                range_min_m: numbers[1],
                range_max_m: numbers[2],
                range_m: numbers[3],
            },
        ))
        .prop_map(Samples::RangeReadings)
        .boxed(),
        _ => picture_samples(table),
    }
}

/// The tables of cameras, paths and maps.
fn picture_samples(table: Table) -> BoxedStrategy<Samples> {
    let head = (stamps(), name());
    match table {
        Table::Cameras => rows(
            (head, any::<([u32; 8], bool)>(), name(), f64s(), any::<([f64; 9], [f64; 9])>())
                .prop_map(|((stamps, frame_id), (n, is_rectified), model, distortion, (k, r))| {
                    CameraIntrinsics {
                        stamps,
                        frame_id,
                        height_px: n[0],
                        width_px: n[1],
                        distortion_model: model,
                        distortion,
                        camera_matrix_px: k,
                        rectified_from_optical: r,
                        projection_px: std::array::from_fn(|index| k[index % 9]),
                        binning_x: n[2],
                        binning_y: n[3],
                        region: ImageRegion {
                            x_offset_px: n[4],
                            y_offset_px: n[5],
                            height_px: n[6],
                            width_px: n[7],
                            is_rectified,
                        },
                    }
                }),
        )
        .prop_map(Samples::Cameras)
        .boxed(),
        Table::Images => image_samples(),
        Table::Paths => {
            let pose =
                (header_time(), name(), pose()).prop_map(|(time, frame_id, frame_from_child)| {
                    PathPose { time, frame_id, frame_from_child }
                });
            rows((head, vec(pose, 0..4)).prop_map(|((stamps, frame_id), poses)| PathSample {
                stamps,
                frame_id,
                poses,
            }))
            .prop_map(Samples::Paths)
            .boxed()
        }
        _ => rows(
            (head, header_time(), any::<(f32, u32, u32)>(), pose(), vec(any::<i8>(), 0..9))
                .prop_map(
                    |(
                        (stamps, frame_id),
                        loaded,
                        (cell_size_m, width, height),
                        frame_from_grid,
                        cells,
                    )| {
                        GridSample {
                            stamps,
                            frame_id,
                            loaded,
                            cell_size_m,
                            width_cells: width,
                            height_cells: height,
                            frame_from_grid,
                            occupancy_percent: cells,
                        }
                    },
                ),
        )
        .prop_map(Samples::Grids)
        .boxed(),
    }
}

fn image_samples() -> BoxedStrategy<Samples> {
    let head = (stamps(), name());

    rows((head, any::<([u32; 4], bool, bool)>(), name(), payload_place()).prop_map(
        |((stamps, frame_id), (n, is_big_endian, is_compressed), encoding, payload)| ImageSample {
            stamps,
            frame_id,
            height_px: (!is_compressed).then_some(n[0]),
            width_px: (!is_compressed).then_some(n[1]),
            encoding,
            is_big_endian,
            row_step_bytes: (!is_compressed).then_some(n[2]),
            payload,
        },
    ))
    .prop_map(Samples::Images)
    .boxed()
}

fn payload_place() -> impl Strategy<Value = PayloadPlace> {
    let base = prop_oneof![
        Just(PayloadBase::File),
        any::<u64>().prop_map(|chunk_offset_bytes| PayloadBase::Chunk { chunk_offset_bytes }),
        any::<i64>().prop_map(|row_id| PayloadBase::Row { row_id }),
    ];
    (any::<u32>(), base, any::<u64>(), any::<u64>()).prop_map(
        |(file_index, base, offset_bytes, length_bytes)| PayloadPlace {
            file_index,
            base,
            offset_bytes,
            length_bytes,
        },
    )
}

/// One channel for every table that can be written from rows alone: images and signals cannot.
pub(crate) fn channels() -> impl Strategy<Value = Vec<(ChannelKey, Samples)>> {
    let cannot = [Table::Images, Table::Signals];
    let tables = Table::ALL.into_iter().filter(|table| !cannot.contains(table));
    tables
        .map(|table| {
            let key = ChannelKey::ros2(&format!("/{table}"), table)
                .unwrap_or_else(|| key("/raw", "some_msgs/msg/Thing", "cdr"));
            samples(table).prop_map(move |samples| (key.clone(), samples))
        })
        .collect::<Vec<_>>()
}

/// Equal to the bit but for rotations, which pass through a quaternion: nine sums of products of
/// numbers up to 1, so 1e-14 leaves room for 45 roundings.
#[track_caller]
pub(crate) fn assert_same(left: &Samples, right: &Samples) {
    let close = |a: &Pose3, b: &Pose3| {
        assert_eq!(format!("{:?}", a.translation_m), format!("{:?}", b.translation_m));
        assert!((a.rotation - b.rotation).amax() < 1e-14, "{a:?} {b:?}");
    };
    assert_eq!(left.len(), right.len());
    match (left, right) {
        (Samples::Poses(left), Samples::Poses(right)) => {
            for (a, b) in left.iter().zip(right) {
                close(&a.frame_from_child, &b.frame_from_child);
                let b = PoseSample { frame_from_child: a.frame_from_child, ..b.clone() };
                assert_eq!(format!("{a:?}"), format!("{b:?}"));
            }
        }
        (Samples::Transforms(left), Samples::Transforms(right)) => {
            for (a, b) in left.iter().zip(right) {
                close(&a.parent_from_child, &b.parent_from_child);
                let b = TransformSample { parent_from_child: a.parent_from_child, ..b.clone() };
                assert_eq!(format!("{a:?}"), format!("{b:?}"));
            }
        }
        (Samples::Paths(left), Samples::Paths(right)) => {
            for (a, b) in left.iter().zip(right) {
                let mut b = b.clone();
                assert_eq!(a.poses.len(), b.poses.len());
                for (a, b) in a.poses.iter().zip(&mut b.poses) {
                    close(&a.frame_from_child, &b.frame_from_child);
                    b.frame_from_child = a.frame_from_child;
                }
                assert_eq!(format!("{a:?}"), format!("{b:?}"));
            }
        }
        (Samples::Grids(left), Samples::Grids(right)) => {
            for (a, b) in left.iter().zip(right) {
                close(&a.frame_from_grid, &b.frame_from_grid);
                let b = GridSample { frame_from_grid: a.frame_from_grid, ..b.clone() };
                assert_eq!(format!("{a:?}"), format!("{b:?}"));
            }
        }
        // As text, NaN equals NaN and -0.0 does not equal 0.0.
        (left, right) => assert_eq!(format!("{left:?}"), format!("{right:?}")),
    }
}

/// Reads bytes fed in pieces of the given sizes, over and over, draining after each.
pub(crate) fn read_in_pieces(
    container: Container,
    bytes: &[u8],
    sizes: &[usize],
) -> (Vec<TopicBatch>, Summary) {
    let mut reader = Reader::new(container, tiepoint_formats::Limits::default());
    let mut joined: BTreeMap<ChannelKey, TopicBatch> = BTreeMap::new();
    let mut gather = |batches: Vec<TopicBatch>| {
        for batch in batches {
            match joined.get_mut(&batch.channel) {
                Some(there) => {
                    let behind = there.first_sequence + there.samples.len() as u64;
                    assert_eq!(batch.first_sequence, behind);
                    there.samples.append(batch.samples).unwrap();
                }
                None => {
                    assert_eq!(batch.first_sequence, 0);
                    joined.insert(batch.channel.clone(), batch);
                }
            }
        }
    };
    let mut rest = bytes;
    for size in sizes.iter().cycle() {
        let (piece, behind) = rest.split_at((*size).min(rest.len()));
        reader.feed(piece).unwrap();
        gather(reader.drain());
        rest = behind;
        if rest.is_empty() {
            break;
        }
    }
    let summary = reader.finish().unwrap();
    gather(reader.drain());
    (joined.into_values().collect(), summary)
}
