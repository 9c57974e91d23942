//! `measure sensor.*`: noise of sensors.

use std::path::PathBuf;

use tiepoint_operations::{
    AllanRequest, Error, LidarNoiseOptions, LidarRequest, Measured, RecordTime, measure_allan,
    measure_drop_out, measure_range_noise,
};

/// Metrics of a sensor's noise.
#[derive(clap::Subcommand)]
pub(crate) enum SensorCommand {
    /// Allan deviation of an inertial channel, and its noise density, bias instability and random walk.
    ///
    /// The sensor must have been at rest. A parameter that the curve does not show is null beside
    /// its reason.
    ///
    /// Example: tiepoint measure sensor.allan --imu still.ulg --channel gyro_x
    #[command(name = "sensor.allan")]
    Allan(AllanArgs),
    /// Range noise of a planar scanner at rest by range and incidence, told from the rounding.
    ///
    /// Example: tiepoint measure sensor.lidar.range_noise --log still.mcap --range-edges-m 0,2,5,10
    #[command(name = "sensor.lidar.range_noise")]
    RangeNoise(RangeNoiseArgs),
    /// Share of beams without a return of a planar scanner at rest, by range and incidence.
    ///
    /// Example: tiepoint measure sensor.lidar.drop_out --log still.mcap --range-edges-m 0,2,5,10
    #[command(name = "sensor.lidar.drop_out")]
    DropOut(LidarArgs),
}

/// A scanner's log.
#[derive(clap::Args)]
pub(crate) struct LidarArgs {
    /// A log with planar scans (MCAP, ROS bag, rosbag2, rawlog); the scanner at rest.
    #[arg(long, value_name = "PATH")]
    log: PathBuf,
    /// Topic of the scans, where there are several.
    #[arg(long, value_name = "NAME")]
    topic: Option<String>,
    /// Look from this time on, seconds after the first scan.
    #[arg(long, default_value_t = 0.0, value_name = "SECONDS")]
    from_s: f64,
    /// Look up to this time, seconds after the first scan.
    #[arg(long, default_value_t = f64::INFINITY, value_name = "SECONDS", hide_default_value = true)]
    to_s: f64,
    /// Edges of the cells in range, metres, parted by commas.
    #[arg(long, value_name = "METRES", value_delimiter = ',')]
    #[arg(default_value = "0,1,2,4,8,16,32,64,128")]
    range_edges_m: Vec<f64>,
    /// Edges of the cells in incidence, degrees, parted by commas; 0 looks straight at the surface.
    #[arg(long, value_name = "DEGREES", value_delimiter = ',', default_value = "0,30,60,90")]
    incidence_edges_deg: Vec<f64>,
    /// Level of the intervals.
    #[arg(long, default_value_t = 0.95)]
    level: f64,
}

/// Noise of ranges.
#[derive(clap::Args)]
pub(crate) struct RangeNoiseArgs {
    #[command(flatten)]
    lidar: LidarArgs,
    /// Step of the readings, metres, 0 if continuous; auto finds it in them.
    #[arg(long, default_value = "auto")]
    quantisation_m: String,
    /// Larger differences are another surface, metres.
    #[arg(long, default_value_t = 0.5, value_name = "METRES")]
    outlier_span_m: f64,
    /// Pairs that a cell needs, at least 30.
    #[arg(long, default_value_t = 100, value_name = "COUNT")]
    pairs_min: usize,
}

/// One record.
#[derive(clap::Args)]
pub(crate) struct AllanArgs {
    /// A log (MCAP, ULog, ROS bag, rosbag2), CSV or Parquet.
    #[arg(long, value_name = "PATH")]
    imu: PathBuf,
    /// A column; of a log gyro_x to accel_z, TOPIC:gyro_x, TOPIC:FIELD, or TOPIC for all its axes.
    #[arg(long, value_name = "NAME")]
    channel: String,
    /// Column of the times of a CSV or Parquet.
    #[arg(long, value_name = "NAME", conflicts_with = "rate_hz")]
    time_column: Option<String>,
    /// Unit of those times: s, ms, us or ns.
    #[arg(long, default_value = "s")]
    time_unit: String,
    /// Readings a second of a CSV or Parquet without times.
    #[arg(long, value_name = "HZ")]
    rate_hz: Option<f64>,
    /// Look from this time on, seconds after the first reading: where the sensor is at rest.
    #[arg(long, default_value_t = 0.0, value_name = "SECONDS")]
    from_s: f64,
    /// Look up to this time, seconds after the first reading.
    #[arg(long, default_value_t = f64::INFINITY, value_name = "SECONDS", hide_default_value = true)]
    to_s: f64,
    /// adev, oadev, mdev, tdev, hdev, ohdev, totdev; mtotdev, ttotdev, htotdev, theo1 (no intervals; work grows
    /// with the square of the record); tierms or mtie (time interval error, its root mean square or largest).
    #[arg(long, default_value = "oadev")]
    deviation: String,
    /// Averaging times: octave, decade, all, or how many in a decade.
    #[arg(long, default_value = "20")]
    taus: String,
    /// Averaging times at which the noise is looked for: all, beyond-filter (of a sensor that filters
    /// its readings) or FROM,TO in seconds.
    #[arg(long, default_value = "beyond-filter", value_name = "RANGE")]
    noise_range: String,
    /// Level of the intervals.
    #[arg(long, default_value_t = 0.95)]
    level: f64,
}

impl SensorCommand {
    pub(crate) fn measure(self) -> Result<Measured, Error> {
        match self {
            Self::Allan(args) => allan(args),
            Self::RangeNoise(args) => {
                let RangeNoiseArgs { lidar, quantisation_m, outlier_span_m, pairs_min } = args;
                let quantisation = quantisation_m;
                let options = LidarNoiseOptions { quantisation, outlier_span_m, pairs_min };
                measure_range_noise(&scanner(lidar), &options)
            }
            Self::DropOut(args) => measure_drop_out(&scanner(args)),
        }
    }
}

fn scanner(args: LidarArgs) -> LidarRequest {
    LidarRequest {
        log: args.log,
        topic: args.topic,
        window_s: [args.from_s, args.to_s],
        range_edges_m: args.range_edges_m,
        incidence_edges_deg: args.incidence_edges_deg,
        level: args.level,
    }
}

fn allan(args: AllanArgs) -> Result<Measured, Error> {
    measure_allan(&AllanRequest {
        imu: args.imu,
        channel: args.channel,
        time: RecordTime { rate_hz: args.rate_hz, column: args.time_column, unit: args.time_unit },
        window_s: [args.from_s, args.to_s],
        deviation: args.deviation,
        factors: args.taus,
        noise_range: args.noise_range,
        level: args.level,
    })
}
