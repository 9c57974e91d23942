//! `measure sensor.*`: noise of sensors.

use std::path::PathBuf;

use tiepoint_operations::{AllanRequest, Error, Measured, RecordTime, measure_allan};

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
    /// adev, oadev, mdev, tdev, hdev, ohdev or totdev.
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
        let Self::Allan(args) = self;
        measure_allan(&AllanRequest {
            imu: args.imu,
            channel: args.channel,
            time: RecordTime {
                rate_hz: args.rate_hz,
                column: args.time_column,
                unit: args.time_unit,
            },
            window_s: [args.from_s, args.to_s],
            deviation: args.deviation,
            factors: args.taus,
            noise_range: args.noise_range,
            level: args.level,
        })
    }
}
