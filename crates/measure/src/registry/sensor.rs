//! Metrics of a sensor's noise and calibration.

use super::metrics;

metrics! {
    CALIBRATION_EXTRINSIC_ROTATION = "calibration.extrinsic.rotation_mrad", "mrad",
        "Angle between two calibrations of a sensor's place, with its parts along the sensor's axes.",
        "this project";
    CALIBRATION_EXTRINSIC_TRANSLATION = "calibration.extrinsic.translation_mm", "mm",
        "Distance between two calibrations of a sensor's place, with its parts along the sensor's axes.",
        "this project";
    CALIBRATION_REPROJECTION_SHIFT = "calibration.reprojection_shift_px", "px",
        "Largest shift over the image of the same directions from one camera model to another.",
        "this project; lens models of OpenCV 4";
    SENSOR_ALLAN_ADEV = "sensor.allan.adev", "value",
        "Allan deviation of a rate, without overlap.",
        "NIST SP 1065, 2008; allantools 2024.6";
    SENSOR_ALLAN_HDEV = "sensor.allan.hdev", "value",
        "Hadamard deviation of a rate, without overlap.",
        "NIST SP 1065, 2008; allantools 2024.6";
    SENSOR_ALLAN_HTOTDEV = "sensor.allan.htotdev", "value",
        "Hadamard total deviation of a rate, its bias kept.",
        "NIST SP 1065, 2008; allantools 2024.6";
    SENSOR_ALLAN_MDEV = "sensor.allan.mdev", "value",
        "Modified Allan deviation of a rate.",
        "NIST SP 1065, 2008; allantools 2024.6";
    SENSOR_ALLAN_MTIE = "sensor.allan.mtie", "value s",
        "Largest less smallest phase within any stretch of a time.",
        "ITU-T G.810, 1996; allantools 2024.6";
    SENSOR_ALLAN_MTOTDEV = "sensor.allan.mtotdev", "value",
        "Modified total deviation of a rate, its bias kept.",
        "NIST SP 1065, 2008; allantools 2024.6";
    SENSOR_ALLAN_OADEV = "sensor.allan.oadev", "value",
        "Overlapping Allan deviation of a rate.",
        "NIST SP 1065, 2008; allantools 2024.6";
    SENSOR_ALLAN_OHDEV = "sensor.allan.ohdev", "value",
        "Overlapping Hadamard deviation of a rate.",
        "NIST SP 1065, 2008; allantools 2024.6";
    SENSOR_ALLAN_TDEV = "sensor.allan.tdev", "value s",
        "Time deviation of a rate.",
        "NIST SP 1065, 2008; allantools 2024.6";
    SENSOR_ALLAN_THEO1 = "sensor.allan.theo1", "value",
        "Deviation of a rate averaged over all splits of a stretch, its bias kept.",
        "Howe and Peppler 2003; allantools 2024.6";
    SENSOR_ALLAN_TIERMS = "sensor.allan.tierms", "value s",
        "Root mean square change of the phase over a time.",
        "ITU-T G.810, 1996; allantools 2024.6";
    SENSOR_ALLAN_TOTDEV = "sensor.allan.totdev", "value",
        "Total deviation of a rate.",
        "NIST SP 1065, 2008; allantools 2024.6";
    SENSOR_ALLAN_TTOTDEV = "sensor.allan.ttotdev", "value s",
        "Time total deviation of a rate, its bias kept.",
        "NIST SP 1065, 2008; allantools 2024.6";
    SENSOR_CAMERA_DARK_NOISE = "sensor.camera.dark_noise", "electron",
        "Temporal dark noise of a camera without rounding.",
        "EMVA 1288 release 4.0 linear, 2021; emva1288 1.0.2";
    SENSOR_CAMERA_DSNU = "sensor.camera.dsnu", "electron",
        "Spread of the pixels' dark signals.",
        "EMVA 1288 release 4.0 linear, 2021";
    SENSOR_CAMERA_GAIN = "sensor.camera.gain", "DN/electron",
        "Rise of a camera's temporal variance with its mean.",
        "EMVA 1288 release 4.0 linear, 2021; emva1288 1.0.2";
    SENSOR_CAMERA_LINE_DELAY = "sensor.camera.line_delay", "s",
        "Time from one row of a rolling shutter to the next.",
        "Oth et al., Rolling shutter camera calibration, 2013, for given motion";
    SENSOR_CAMERA_PRNU = "sensor.camera.prnu", "%",
        "Spread of the pixels' responses as a share of the signal.",
        "EMVA 1288 release 4.0 linear, 2021";
    SENSOR_CAMERA_SATURATION = "sensor.camera.saturation", "electron",
        "Electrons at which the temporal variance of a camera is largest.",
        "EMVA 1288 release 4.0 linear, 2021; emva1288 1.0.2";
    SENSOR_CAMERA_SNR_MAX = "sensor.camera.snr_max", "1",
        "Largest ratio of signal to noise of a camera.",
        "EMVA 1288 release 4.0 linear, 2021; emva1288 1.0.2";
    SENSOR_CAMERA_VIDEO_GAIN = "sensor.camera.video_gain", "DN",
        "Rise of the temporal variance with the mean, from pairs of frames of ordinary video.",
        "Foi et al., 2008; pairs of frames as in EMVA 1288";
    SENSOR_IMU_BIAS_INSTABILITY = "sensor.imu.bias_instability", "value",
        "Flicker of a rate: the flat asymptote of its Allan deviation over 0.664.",
        "IEEE Std 952-2020; Kalibr wiki, IMU noise model";
    SENSOR_IMU_NOISE_DENSITY = "sensor.imu.noise_density", "value/sqrt(Hz)",
        "White noise of a rate: the -1/2 asymptote of its Allan deviation at 1 s.",
        "IEEE Std 952-2020; Kalibr wiki, IMU noise model";
    SENSOR_IMU_RANDOM_WALK = "sensor.imu.random_walk", "value sqrt(Hz)",
        "Random walk of a rate: the 1/2 asymptote of its Allan deviation at 3 s.",
        "IEEE Std 952-2020; Kalibr wiki, IMU noise model";
    SENSOR_LIDAR_DROP_OUT = "sensor.lidar.drop_out", "1",
        "Share of beams without a return in a cell of range and incidence.",
        "this project";
    SENSOR_LIDAR_RANGE_NOISE = "sensor.lidar.range_noise", "m",
        "Standard deviation of a range reading before rounding, in a cell of range and incidence.",
        "Heitjan, Inference from grouped continuous data, 1989";
}
