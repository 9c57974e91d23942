//! Logs that the benchmark makes: clouds alone, and a robot's run of clouds, images and inertial
//! readings of any size, as MCAP files of ROS 2 messages.
//!
//! Invariant: the same size and seed give the same bytes.
//! Metres, radians, nanoseconds. Not here: anything that is read back; the bytes are laid out by
//! hand, so that a fault of our own writer would be found.

use std::{collections::BTreeMap, error::Error, io::Write};

use mcap::{Compression, WriteOptions, Writer, records::MessageHeader};
use tiepoint_model::Seed;

const CLOUDS: u32 = 64;
const POINTS_PER_CLOUD: u32 = 32_768;
const POINT_BYTES: u32 = 32;
/// A run has so many of each in a tenth of a second.
const IMAGES_PER_CLOUD: u64 = 2;
const READINGS_PER_CLOUD: u64 = 20;
const CLOUD_INTERVAL_NS: u64 = 100_000_000;
const IMAGE_WIDTH: u32 = 640;
const IMAGE_HEIGHT: u32 = 480;
/// Different messages of a kind; a long run repeats them at other times.
const KINDS: u32 = 8;

/// The bytes of all points of [`clouds`].
pub(crate) fn payload_bytes() -> u64 {
    u64::from(CLOUDS) * u64::from(POINTS_PER_CLOUD) * u64::from(POINT_BYTES)
}

/// An MCAP of clouds as a spinning LiDAR's driver makes them: x, y, z, intensity, ring, time.
pub(crate) fn clouds(compression: Option<Compression>) -> Result<Vec<u8>, Box<dyn Error>> {
    let options = WriteOptions::new().compression(compression);
    let mut writer = options.create(std::io::Cursor::new(Vec::new()))?;
    let channel = Channel::add(&mut writer, "/points", "sensor_msgs/msg/PointCloud2")?;
    for index in 0..CLOUDS {
        let time_ns = u64::from(index) * CLOUD_INTERVAL_NS;
        channel.write(&mut writer, time_ns, &cloud(Seed(1), index))?;
    }
    writer.finish()?;
    Ok(writer.into_inner().into_inner())
}

/// A run of about `size_bytes`: clouds at 10 Hz, images at 20 Hz, inertial readings at 200 Hz.
pub(crate) fn run(
    out: impl Write + std::io::Seek,
    size_bytes: u64,
    seed: Seed,
) -> Result<u64, Box<dyn Error>> {
    let mut writer = WriteOptions::new().compression(None).create(out)?;
    let points = Channel::add(&mut writer, "/points", "sensor_msgs/msg/PointCloud2")?;
    let images = Channel::add(&mut writer, "/camera/image_raw", "sensor_msgs/msg/Image")?;
    let imu = Channel::add(&mut writer, "/imu", "sensor_msgs/msg/Imu")?;
    let clouds: Vec<Vec<u8>> = (0..KINDS).map(|kind| cloud(seed, kind)).collect();
    let pictures: Vec<Vec<u8>> = (0..KINDS).map(|kind| image(seed, kind)).collect();
    let (mut written_bytes, mut message_count, mut time_ns) = (0, 0, 0);
    for step in 0.. {
        if written_bytes >= size_bytes {
            break;
        }
        let kind = step % KINDS as usize;
        for tick in 0..READINGS_PER_CLOUD {
            let at_ns = time_ns + tick * CLOUD_INTERVAL_NS / READINGS_PER_CLOUD;
            written_bytes += imu.write(&mut writer, at_ns, &reading(seed, message_count))?;
            if tick % (READINGS_PER_CLOUD / IMAGES_PER_CLOUD) == 0 {
                written_bytes += images.write(&mut writer, at_ns, &pictures[kind])?;
                message_count += 1;
            }
            message_count += 1;
        }
        written_bytes += points.write(&mut writer, time_ns, &clouds[kind])?;
        message_count += 1;
        time_ns += CLOUD_INTERVAL_NS;
    }
    writer.finish()?;
    Ok(message_count)
}

struct Channel(u16);

impl Channel {
    fn add<W: Write + std::io::Seek>(
        writer: &mut Writer<W>,
        topic: &str,
        message_type: &str,
    ) -> Result<Self, Box<dyn Error>> {
        let schema = writer.add_schema(message_type, "ros2msg", b"")?;
        Ok(Self(writer.add_channel(schema, topic, "cdr", &BTreeMap::new())?))
    }

    /// Gives how many bytes the message has. The stamp in its header is that of the log.
    fn write<W: Write + std::io::Seek>(
        &self,
        writer: &mut Writer<W>,
        time_ns: u64,
        message: &[u8],
    ) -> Result<u64, Box<dyn Error>> {
        let header = MessageHeader {
            channel_id: self.0,
            sequence: 0,
            log_time: time_ns,
            publish_time: time_ns,
        };
        writer.write_to_known_channel(&header, message)?;
        Ok(message.len() as u64)
    }
}

/// A message in the making, in plain CDR.
struct Cdr(Vec<u8>);

impl Cdr {
    /// With a header that has no stamp.
    fn new(frame_id: &str) -> Self {
        let mut cdr = Self(vec![0, 1, 0, 0]);
        cdr.u32(0);
        cdr.u32(0);
        cdr.text(frame_id);
        cdr
    }

    fn align(&mut self, size: usize) {
        let behind = (self.0.len() - 4).next_multiple_of(size) + 4;
        self.0.resize(behind, 0);
    }

    fn u8(&mut self, value: u8) {
        self.0.push(value);
    }

    fn u32(&mut self, value: u32) {
        self.align(4);
        self.0.extend(value.to_le_bytes());
    }

    fn f64s(&mut self, values: &[f64]) {
        self.align(8);
        values.iter().for_each(|value| self.0.extend(value.to_le_bytes()));
    }

    fn text(&mut self, text: &str) {
        self.u32(text.len() as u32 + 1);
        self.0.extend(text.as_bytes());
        self.0.push(0);
    }
}

fn cloud(seed: Seed, index: u32) -> Vec<u8> {
    let fields: [(&str, u32, u8); 6] = [
        ("x", 0, 7),
        ("y", 4, 7),
        ("z", 8, 7),
        ("intensity", 16, 7),
        ("ring", 20, 4),
        ("time", 24, 7),
    ];
    let mut out = Cdr::new("lidar");
    [1, POINTS_PER_CLOUD, 6].iter().for_each(|value| out.u32(*value));
    for (name, offset, datatype) in fields {
        out.text(name);
        out.u32(offset);
        out.u8(datatype);
        out.u32(1);
    }
    out.u8(0);
    let data_bytes = POINTS_PER_CLOUD * POINT_BYTES;
    [POINT_BYTES, data_bytes, data_bytes].iter().for_each(|value| out.u32(*value));
    let draws = seed.for_purpose("clouds");
    for point in 0..POINTS_PER_CLOUD {
        let mut draw = draws.draws(index.into(), point.into());
        let mut bytes = [0; POINT_BYTES as usize];
        for (slot, scale) in [(0, 100.0), (4, 100.0), (8, 5.0), (16, 255.0), (24, 0.1)] {
            let value = draw.below(1 << 20) as f32 / (1 << 20) as f32 * scale;
            bytes[slot..slot + 4].copy_from_slice(&value.to_le_bytes());
        }
        out.0.extend(bytes);
    }
    out.u8(1);
    out.0
}

fn image(seed: Seed, index: u32) -> Vec<u8> {
    let mut out = Cdr::new("camera");
    [IMAGE_HEIGHT, IMAGE_WIDTH].iter().for_each(|value| out.u32(*value));
    out.text("mono8");
    out.u8(0);
    [IMAGE_WIDTH, IMAGE_WIDTH * IMAGE_HEIGHT].iter().for_each(|value| out.u32(*value));
    let draws = seed.for_purpose("images");
    for row in 0..IMAGE_HEIGHT {
        let mut draw = draws.draws(index.into(), row.into());
        out.0.extend((0..IMAGE_WIDTH).map(|column| (column / 4) as u8 ^ draw.below(8) as u8));
    }
    out.0
}

fn reading(seed: Seed, index: u64) -> Vec<u8> {
    let mut draw = seed.for_purpose("readings").draws(index, 0);
    let mut noise = || f64::from(draw.below(1 << 20) as u32) / f64::from(1 << 20) - 0.5;
    let mut out = Cdr::new("imu");
    out.f64s(&[0.0, 0.0, 0.0, 1.0]);
    out.f64s(&[0.0; 9]);
    out.f64s(&[noise(), noise(), noise()]);
    out.f64s(&[0.0; 9]);
    out.f64s(&[noise(), noise(), 9.81 + noise()]);
    out.f64s(&[0.0; 9]);
    out.0
}
