//! Metrics of a sensor's noise and calibration.

use super::metrics;

metrics! {
    SENSOR_ALLAN_ADEV = "sensor.allan.adev", "value",
        "Allan deviation of a rate, without overlap.",
        "NIST SP 1065, 2008; allantools 2024.6";
    SENSOR_ALLAN_HDEV = "sensor.allan.hdev", "value",
        "Hadamard deviation of a rate, without overlap.",
        "NIST SP 1065, 2008; allantools 2024.6";
    SENSOR_ALLAN_MDEV = "sensor.allan.mdev", "value",
        "Modified Allan deviation of a rate.",
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
    SENSOR_ALLAN_TOTDEV = "sensor.allan.totdev", "value",
        "Total deviation of a rate.",
        "NIST SP 1065, 2008; allantools 2024.6";
    SENSOR_IMU_BIAS_INSTABILITY = "sensor.imu.bias_instability", "value",
        "Flicker of a rate: the flat asymptote of its Allan deviation over 0.664.",
        "IEEE Std 952-2020; Kalibr wiki, IMU noise model";
    SENSOR_IMU_NOISE_DENSITY = "sensor.imu.noise_density", "value/sqrt(Hz)",
        "White noise of a rate: the -1/2 asymptote of its Allan deviation at 1 s.",
        "IEEE Std 952-2020; Kalibr wiki, IMU noise model";
    SENSOR_IMU_RANDOM_WALK = "sensor.imu.random_walk", "value sqrt(Hz)",
        "Random walk of a rate: the 1/2 asymptote of its Allan deviation at 3 s.",
        "IEEE Std 952-2020; Kalibr wiki, IMU noise model";
}
