//! Files written by hand: messages of both ROS encodings, rawlogs, ULogs, MCAP, tables and clouds.

use std::{collections::BTreeMap, io::Cursor, io::Write, sync::Arc};

use arrow::array::{ArrayRef, Float64Array, RecordBatch};
use mcap::{WriteOptions, Writer, records::MessageHeader};
use parquet::arrow::ArrowWriter;
use tiepoint_formats::ChannelKey;

pub(crate) fn key(topic: &str, message_type: &str, encoding: &str) -> ChannelKey {
    ChannelKey {
        topic: topic.to_owned(),
        message_type: message_type.to_owned(),
        encoding: encoding.to_owned(),
    }
}

pub(crate) fn no_metadata() -> BTreeMap<String, BTreeMap<String, String>> {
    BTreeMap::new()
}

/// How numbers are laid out in a message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Wire {
    CdrLittle,
    CdrBig,
    Ros1,
}

impl Wire {
    pub(crate) const ALL: [Self; 3] = [Self::CdrLittle, Self::CdrBig, Self::Ros1];
}

/// Writes one message by hand, apart from the crate's own encoder.
pub(crate) struct MessageBytes {
    wire: Wire,
    pub(crate) bytes: Vec<u8>,
}

impl MessageBytes {
    pub(crate) fn new(wire: Wire) -> Self {
        let bytes = match wire {
            Wire::CdrLittle => vec![0, 1, 0, 0],
            Wire::CdrBig => vec![0, 0, 0, 0],
            Wire::Ros1 => Vec::new(),
        };
        Self { wire, bytes }
    }

    fn put<const N: usize>(mut self, mut little: [u8; N]) -> Self {
        if self.wire != Wire::Ros1 {
            while !(self.bytes.len() - 4).is_multiple_of(N) {
                self.bytes.push(0xEE);
            }
        }
        if self.wire == Wire::CdrBig {
            little.reverse();
        }
        self.bytes.extend(little);
        self
    }

    pub(crate) fn u8(self, value: u8) -> Self {
        self.put([value])
    }

    pub(crate) fn u16(self, value: u16) -> Self {
        self.put(value.to_le_bytes())
    }

    pub(crate) fn u32(self, value: u32) -> Self {
        self.put(value.to_le_bytes())
    }

    pub(crate) fn f32s(self, values: &[f32]) -> Self {
        values.iter().fold(self, |out, value| out.put(value.to_le_bytes()))
    }

    pub(crate) fn f64s(self, values: &[f64]) -> Self {
        values.iter().fold(self, |out, value| out.put(value.to_le_bytes()))
    }

    pub(crate) fn string(self, text: &str) -> Self {
        let zero = self.wire != Wire::Ros1;
        let mut out = self.u32(u32::try_from(text.len()).unwrap() + u32::from(zero));
        out.bytes.extend(text.as_bytes());
        if zero {
            out.bytes.push(0);
        }
        out
    }

    pub(crate) fn blob(self, bytes: &[u8]) -> Self {
        let mut out = self.u32(u32::try_from(bytes.len()).unwrap());
        out.bytes.extend(bytes);
        out
    }

    pub(crate) fn header(self, seconds: u32, nanoseconds: u32, frame_id: &str) -> Self {
        let out = if self.wire == Wire::Ros1 { self.u32(77) } else { self };
        out.u32(seconds).u32(nanoseconds).string(frame_id)
    }
}

/// An MCAP without compression and checksums, so that damage reaches the decoders.
pub(crate) fn bare_mcap(wire: Wire, message_type: &str, messages: &[Vec<u8>]) -> Vec<u8> {
    let options = WriteOptions::new()
        .compression(None)
        .calculate_chunk_crcs(false)
        .calculate_data_section_crc(false)
        .calculate_summary_section_crc(false);
    mcap_with(options, wire, message_type, messages)
}

pub(crate) fn mcap_with(
    options: WriteOptions,
    wire: Wire,
    message_type: &str,
    messages: &[Vec<u8>],
) -> Vec<u8> {
    let (encoding, schema_encoding) = match wire {
        Wire::Ros1 => ("ros1", "ros1msg"),
        _ => ("cdr", "ros2msg"),
    };
    let mut writer: Writer<Cursor<Vec<u8>>> = options.create(Cursor::new(Vec::new())).unwrap();
    let schema = writer.add_schema(message_type, schema_encoding, b"").unwrap();
    let channel = writer.add_channel(schema, "/topic", encoding, &BTreeMap::new()).unwrap();
    for (index, message) in messages.iter().enumerate() {
        let time = 1_000 + index as u64;
        let header = MessageHeader {
            channel_id: channel,
            sequence: 0,
            log_time: time,
            publish_time: time - 1,
        };
        writer.write_to_known_channel(&header, message).unwrap();
    }
    writer.finish().unwrap();
    writer.into_inner().into_inner()
}

/// 100 ns steps since 1601 of a time in seconds since 1970.
fn steps(unix_s: f64) -> i64 {
    116_444_736_000_000_000 + (unix_s * 1e7).round() as i64
}

/// Writes rawlog objects by hand.
#[derive(Default)]
pub(crate) struct RawlogBytes(pub(crate) Vec<u8>);

impl RawlogBytes {
    pub(crate) fn object(class: &str, version: i8, body: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0x80 | u8::try_from(class.len()).unwrap()];
        bytes.extend(class.as_bytes());
        bytes.push(version.cast_unsigned());
        bytes.extend(body);
        bytes.push(0x88);
        bytes
    }

    pub(crate) fn scan(
        unix_s: f64,
        ranges_m: &[f32],
        valid: &[u8],
        right_to_left: bool,
    ) -> Vec<u8> {
        let mut body = Vec::new();
        body.extend(2.0_f32.to_le_bytes());
        body.push(u8::from(right_to_left));
        body.extend(80.0_f32.to_le_bytes());
        let pose = [0.2, 0.0, 0.1, 1.0, 0.0, 0.0, 0.0_f64];
        let pose: Vec<u8> = pose.iter().flat_map(|value| value.to_le_bytes()).collect();
        body.extend(Self::object("mrpt::poses::CPose3D", 2, &pose));
        body.extend(u32::try_from(ranges_m.len()).unwrap().to_le_bytes());
        body.extend(ranges_m.iter().flat_map(|value| value.to_le_bytes()));
        body.extend(valid);
        body.extend(0.01_f32.to_le_bytes());
        body.extend(steps(unix_s).to_le_bytes());
        body.extend(0.0_f32.to_le_bytes());
        body.extend([0; 4 + 8]);
        Self::object("CObservation2DRangeScan", 6, &body)
    }

    /// Written in 2011.
    pub(crate) fn comment(text: &str) -> Vec<u8> {
        let mut body = u32::try_from(text.len()).unwrap().to_le_bytes().to_vec();
        body.extend(text.as_bytes());
        body.extend(steps(1.3e9).to_le_bytes());
        Self::object("CObservationComment", 0, &body)
    }

    pub(crate) fn beacons(ranges_m: &[(u32, f32)]) -> Vec<u8> {
        let point = |values: [f64; 3]| {
            let body: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            Self::object("CPoint3D", 1, &body)
        };
        let mut body = vec![0; 12];
        body.extend(u32::try_from(ranges_m.len()).unwrap().to_le_bytes());
        for (beacon_id, range_m) in ranges_m {
            body.extend(point([0.16, 0.0, 1.12]));
            body.extend(range_m.to_le_bytes());
            body.extend(beacon_id.to_le_bytes());
        }
        let guess = [0.0_f64, 0.0, f64::NEG_INFINITY].map(f64::to_le_bytes).concat();
        body.extend(Self::object("CPose2D", 1, &guess));
        body.extend([0; 4 + 8]);
        Self::object("CObservationBeaconRanges", 3, &body)
    }

    pub(crate) fn frame(mut self, observations: &[Vec<u8>]) -> Self {
        let mut body = u32::try_from(observations.len()).unwrap().to_le_bytes().to_vec();
        observations.iter().for_each(|observation| body.extend(observation));
        self.0.extend(Self::object("CSensoryFrame", 2, &body));
        self
    }

    pub(crate) fn moved(mut self, x_m: f64, y_m: f64, yaw_rad: f64) -> Self {
        let pose: Vec<u8> = [x_m, y_m, yaw_rad].iter().flat_map(|v| v.to_le_bytes()).collect();
        let mut body = vec![0; 4];
        body.extend(Self::object("CPose2D", 1, &pose));
        body.extend([0; 56 + 9 + 9 + 8]);
        let action = Self::object("CActionRobotMovement2D", 6, &body);
        let mut collection = 1_u32.to_le_bytes().to_vec();
        collection.extend(action);
        self.0.extend(Self::object("CActionCollection", 0, &collection));
        self
    }

    pub(crate) fn gzip(&self) -> Vec<u8> {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        out.write_all(&self.0).unwrap();
        out.finish().unwrap()
    }
}

/// Three frames with scans and ranges, two increments between them, one behind the last.
pub(crate) fn small_rawlog() -> RawlogBytes {
    let scan =
        |unix_s| RawlogBytes::scan(unix_s, &[1.0, 0.0, 81.0, 2.5, 3.0], &[1, 0, 0, 0, 1], true);
    let beacons = RawlogBytes::beacons(&[(1, 5.0), (2, 6.0)]);
    RawlogBytes::default()
        .frame(&[scan(1000.0), beacons.clone()])
        .moved(1.0, 0.0, std::f64::consts::FRAC_PI_2)
        .frame(&[scan(1001.5), beacons])
        .moved(1.0, 0.0, 0.0)
        .frame(&[scan(1003.0)])
        .moved(5.0, 5.0, 0.0)
}

/// Writes ULog records by hand.
pub(crate) struct UlogBytes(pub(crate) Vec<u8>);

impl UlogBytes {
    pub(crate) fn new() -> Self {
        Self([&b"ULog\x01\x12\x35\x01"[..], &77_u64.to_le_bytes()].concat())
    }

    pub(crate) fn record(mut self, kind: u8, body: &[u8]) -> Self {
        self.0.extend(u16::try_from(body.len()).unwrap().to_le_bytes());
        self.0.push(kind);
        self.0.extend(body);
        self
    }

    pub(crate) fn flags(self, incompatible: u8, appended_at: [u64; 3]) -> Self {
        let mut body = [[0; 8], [incompatible, 0, 0, 0, 0, 0, 0, 0]].concat();
        body.extend(appended_at.iter().flat_map(|at| at.to_le_bytes()));
        self.record(b'B', &body)
    }

    pub(crate) fn format(self, text: &str) -> Self {
        self.record(b'F', text.as_bytes())
    }

    /// An information or parameter; `front` are the bytes before its name.
    pub(crate) fn entry(self, kind: u8, front: &[u8], key: &str, value: &[u8]) -> Self {
        let key_bytes = [u8::try_from(key.len()).unwrap()];
        self.record(kind, &[front, &key_bytes, key.as_bytes(), value].concat())
    }

    pub(crate) fn subscribe(self, instance: u8, id: u16, name: &str) -> Self {
        self.record(b'A', &[&[instance][..], &id.to_le_bytes(), name.as_bytes()].concat())
    }

    pub(crate) fn data(self, id: u16, payload: &[u8]) -> Self {
        self.record(b'D', &[&id.to_le_bytes(), payload].concat())
    }
}

/// Every kind of record, nested formats, two typed topics, texts, a dropout.
pub(crate) fn small_ulog() -> UlogBytes {
    let f32s =
        |values: &[f32]| -> Vec<u8> { values.iter().flat_map(|v| v.to_le_bytes()).collect() };
    let time = |time_us: u64| time_us.to_le_bytes().to_vec();
    let thing = |time_us: u64| {
        let mut body = time(time_us);
        body.extend((-3_i16).to_le_bytes());
        body.extend(f32s(&[1.5, 0.1]));
        body.extend([7, 0xff, 8, 0xfe, 1]);
        body
    };
    let imu = |relative: i32| {
        let mut body = time(2_200);
        body.extend(f32s(&[1.0, 2.0, 3.0]));
        body.extend(relative.to_le_bytes());
        body.extend(f32s(&[4.0, 5.0, 6.0]));
        body
    };
    let mut gps = [time(2_600), time(1_700_000_000_000_000)].concat();
    gps.extend([473_977_418_i32, 85_455_938, 488_123].iter().flat_map(|v| v.to_le_bytes()));
    gps.push(5);
    let half = std::f32::consts::FRAC_1_SQRT_2;
    UlogBytes::new()
        .flags(0, [0; 3])
        .format("thing:uint64_t timestamp;int16_t a;float[2] b;inner[2] in;bool flag;uint8_t[3] _padding0;")
        .format("inner:uint8_t u;int8_t v;")
        .format(
            "sensor_combined:uint64_t timestamp;float[3] gyro_rad;\
             int32_t accelerometer_timestamp_relative;float[3] accelerometer_m_s2;",
        )
        .format("vehicle_attitude:uint64_t timestamp;uint64_t timestamp_sample;float[4] q;")
        .format("mavlink_log:uint64_t timestamp;char[5] text;")
        .format(
            "sensor_gps:uint64_t timestamp;uint64_t time_utc_usec;int32_t lat;int32_t lon;\
             int32_t alt_ellipsoid;uint8_t fix_type;",
        )
        .format("sensor_mag:uint64_t timestamp;float x;float y;float z;")
        .entry(b'I', &[], "char[3] sys_name", b"PX4")
        .entry(b'I', &[], "uint8_t[2] hw", &[1, 255])
        .entry(b'M', &[0], "char[4] perf", b"one ")
        .entry(b'M', &[1], "char[3] perf", b"two")
        .entry(b'M', &[0], "char[5] perf", b"three")
        .entry(b'P', &[], "float GAIN", &0.25_f32.to_le_bytes())
        .entry(b'Q', &[1], "float GAIN", &0.75_f32.to_le_bytes())
        .subscribe(1, 3, "thing")
        .subscribe(0, 4, "sensor_combined")
        .subscribe(0, 5, "vehicle_attitude")
        .subscribe(0, 6, "mavlink_log")
        .subscribe(0, 7, "sensor_gps")
        .subscribe(0, 8, "sensor_mag")
        .record(b'S', &[0x2f, 0x73, 0x13, 0x20, 0x25, 0x0c, 0xbb, 0x12])
        .data(3, &[thing(2_000), vec![0; 3]].concat())
        .data(4, &imu(10))
        .data(4, &imu(i32::MAX))
        .data(5, &[time(2_450), time(2_400), f32s(&[half, 0.0, 0.0, half])].concat())
        .record(b'L', &[&[b'6'][..], &2_500_u64.to_le_bytes(), b"take off"].concat())
        .record(b'C', &[&[b'6', 1, 0][..], &2_500_u64.to_le_bytes(), b"tagged"].concat())
        .data(6, &[time(2_550), b"hello".to_vec()].concat())
        .data(7, &gps)
        .data(8, &[time(2_700), f32s(&[0.25, -0.5, 0.0])].concat())
        .data(3, &thing(3_000))
        .record(b'O', &250_u16.to_le_bytes())
        .entry(b'P', &[], "float GAIN", &0.5_f32.to_le_bytes())
        .record(b'R', &3_u16.to_le_bytes())
        .record(b'Z', b"of tomorrow")
}

/// Two quoted names, a missing cell, and a word for missing.
pub(crate) fn small_csv() -> &'static [u8] {
    b"t,\"gx, deg\",gy,gz,ax,ay,az,volt,ampere,px,py,pz\n\
      1.5,0,0,90,1,0,0,12.5,3,1.5,2,3\n\
      \"2.5\",0,0,90,1,0,0,12.25,,1.5,2,3\n\
      \n\
      3.5,0,0,90,1,0,0,NaN,2.5,1.5,2,3\n"
}

pub(crate) fn small_projection() -> &'static str {
    r#"
    [time]
    column = "t"
    unit = "ms"
    clock = "sensor"

    [[channel]]
    topic = "imu"
    table = "imu"
    frame_id = "imu_link"
    fields = { angular_rate_x_rad_per_s = "gx, deg", angular_rate_y_rad_per_s = "gy", angular_rate_z_rad_per_s = "gz", acceleration_x_m_per_s2 = "ax", acceleration_y_m_per_s2 = "ay", acceleration_z_m_per_s2 = "az" }
    units = { "gx, deg" = "deg/s", gy = "deg/s", gz = "deg/s", ax = "g", ay = "g", az = "g" }

    [[channel]]
    topic = "battery"
    table = "signals"
    columns = ["volt", "ampere"]
    units = { volt = "V", ampere = "A" }

    [[channel]]
    topic = "place"
    table = "poses"
    frame_id = "map"
    child_frame_id = "base_link"
    fields = { x_m = "px", y_m = "py", z_m = "pz" }
    "#
}

pub(crate) fn parquet_of(batch: &RecordBatch) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
    bytes
}

/// The same as [`small_csv`].
pub(crate) fn small_parquet() -> Vec<u8> {
    let same = |value: f64| -> ArrayRef { Arc::new(Float64Array::from(vec![value; 3])) };
    let volt = Float64Array::from(vec![12.5, 12.25, f64::NAN]);
    let ampere = Float64Array::from(vec![Some(3.0), None, Some(2.5)]);
    let columns: [(&str, ArrayRef); 12] = [
        ("t", Arc::new(Float64Array::from(vec![1.5, 2.5, 3.5]))),
        ("gx, deg", same(0.0)),
        ("gy", same(0.0)),
        ("gz", same(90.0)),
        ("ax", same(1.0)),
        ("ay", same(0.0)),
        ("az", same(0.0)),
        ("volt", Arc::new(volt)),
        ("ampere", Arc::new(ampere)),
        ("px", same(1.5)),
        ("py", same(2.0)),
        ("pz", same(3.0)),
    ];
    parquet_of(&RecordBatch::try_from_iter(columns).unwrap())
}

/// Two vertices with a list and an intensity, an element ahead and faces behind.
pub(crate) fn ply_of(encoding: &str) -> Vec<u8> {
    let mut bytes = format!(
        "ply\nformat {encoding} 1.0\ncomment made by hand\nelement sensor 1\nproperty int id\n\
         element vertex 2\nproperty float x\nproperty double y\nproperty list uchar short tags\n\
         property float z\nproperty uchar scalar_intensity\n\
         element face 1\nproperty list uchar int vertex_indices\nend_header\n"
    )
    .into_bytes();
    if encoding == "ascii" {
        bytes.extend(b"42\n1 2 2 5 6 3 7\n-1.5 0.25 0 1e3 255\n3 0 1 0\n");
        return bytes;
    }
    let is_big = encoding == "binary_big_endian";
    let mut put = |little: &[u8]| match is_big {
        true => bytes.extend(little.iter().rev()),
        false => bytes.extend(little),
    };
    put(&42_i32.to_le_bytes());
    for (x, y, tags, z, intensity) in
        [(1.0_f32, 2.0_f64, &[5_i16, 6][..], 3.0_f32, 7_u8), (-1.5, 0.25, &[], 1e3, 255)]
    {
        put(&x.to_le_bytes());
        put(&y.to_le_bytes());
        put(&[u8::try_from(tags.len()).unwrap()]);
        tags.iter().for_each(|tag| put(&tag.to_le_bytes()));
        put(&z.to_le_bytes());
        put(&[intensity]);
    }
    put(&[1]);
    put(&0_i32.to_le_bytes());
    bytes
}

/// The same points, with a padding field of two bytes.
pub(crate) fn pcd_of(encoding: &str) -> Vec<u8> {
    let mut bytes = format!(
        "# .PCD v0.7 - Point Cloud Data file format\nVERSION 0.7\nFIELDS x y _ z intensity\n\
         SIZE 4 8 1 4 1\nTYPE F F U F U\nCOUNT 1 1 2 1 1\nWIDTH 2\nHEIGHT 1\n\
         VIEWPOINT 0 0 0 1 0 0 0\nPOINTS 2\nDATA {encoding}\n"
    )
    .into_bytes();
    let x = [1.0_f32, -1.5].map(f32::to_le_bytes);
    let y = [2.0_f64, 0.25].map(f64::to_le_bytes);
    let z = [3.0_f32, 1e3].map(f32::to_le_bytes);
    match encoding {
        "ascii" => bytes.extend(b"1 2 0 0 3 7\n-1.5 0.25 0 0 1e3 255\n"),
        "binary" => (0..2).for_each(|i| {
            bytes.extend([&x[i][..], &y[i], &[0, 0], &z[i], &[[7, 255][i]]].concat());
        }),
        _ => {
            let plain = [x.concat(), y.concat(), vec![0; 4], z.concat(), vec![7, 255]].concat();
            // Literals of up to 32 bytes, the four zeros as one and a reference to it.
            let mut packed = Vec::new();
            let mut literal = |bytes: &[u8]| {
                for run in bytes.chunks(32) {
                    packed.push(u8::try_from(run.len() - 1).unwrap());
                    packed.extend(run);
                }
            };
            literal(&plain[..25]);
            packed.extend([1 << 5, 0]);
            let mut literal = |bytes: &[u8]| {
                packed.push(u8::try_from(bytes.len() - 1).unwrap());
                packed.extend(bytes);
            };
            literal(&plain[28..]);
            bytes.extend(u32::try_from(packed.len()).unwrap().to_le_bytes());
            bytes.extend(u32::try_from(plain.len()).unwrap().to_le_bytes());
            bytes.extend(packed);
        }
    }
    bytes
}
