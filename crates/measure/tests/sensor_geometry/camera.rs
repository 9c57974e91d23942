//! Photon transfer against emva1288, and simulated cameras whose parameters are known.

use std::panic::catch_unwind;

use serde_json::Value;
use tiepoint_measure::{
    MeasureError, registry,
    sensor::{
        NotIdentifiable,
        camera::{
            ExposurePoint, PhotonTransfer, PhotonTransferMode, RowShift, VideoNoise,
            VideoNoiseOptions, exposure_point, line_delay, non_uniformity, photon_transfer,
            video_noise,
        },
    },
};
use tiepoint_model::{Seed, math, seed::Draws};

use crate::conformance;

fn golden() -> (Value, Vec<ExposurePoint>) {
    let text =
        include_str!("../../../../testdata/emva1288_photon_transfer/emva1288_photon_transfer.json");
    let golden: Value = serde_json::from_str(text).unwrap();
    let column = |name: &str| -> Vec<f64> {
        serde_json::from_value(golden["temporal"][name].clone()).unwrap()
    };
    let [time, photons, mean, variance, dark_mean, dark_variance] =
        ["texp", "u_p", "u_y", "s2_y", "u_ydark", "s2_ydark"].map(column);
    let points = (0..time.len())
        .map(|i| ExposurePoint {
            exposure_s: time[i] * 1e-9,
            photons: photons[i],
            mean_dn: mean[i],
            variance_dn2: variance[i],
            dark_mean_dn: dark_mean[i],
            dark_variance_dn2: dark_variance[i],
        })
        .collect();
    (golden, points)
}

/// The package fits by iteration and stops at 1e-8 of its step: 3e-10 of the value at most here.
#[test]
fn photon_transfer_agrees_with_emva1288() {
    let (golden, points) = golden();
    let got = photon_transfer(&points, PhotonTransferMode::Emva1288).unwrap().unwrap();
    let saturation = got.saturation.clone().unwrap();
    let linearity = saturation.linearity.unwrap();
    let metric = |name: &str| match name {
        "K" => registry::SENSOR_CAMERA_GAIN.as_str(),
        "sigma_d" => registry::SENSOR_CAMERA_DARK_NOISE.as_str(),
        "u_e_sat" => registry::SENSOR_CAMERA_SATURATION.as_str(),
        "SNR_max" => registry::SENSOR_CAMERA_SNR_MAX.as_str(),
        _ => "sensor.camera, other results",
    };
    for (value, name) in [
        (got.gain_dn_per_electron, "K"),
        (got.responsivity_dn_per_photon, "R"),
        (got.dark_noise_electrons, "sigma_d"),
        (got.dark_noise_dn, "sigma_y_dark"),
        (got.threshold_photons, "u_p_min"),
        (saturation.photons, "u_p_sat"),
        (saturation.electrons, "u_e_sat"),
        (saturation.snr_max, "SNR_max"),
        (saturation.dynamic_range, "DR"),
        (linearity.error_percent_min, "LE_min"),
        (linearity.error_percent_max, "LE_max"),
        (100.0 * got.quantum_efficiency, "QE"),
    ] {
        let expected = golden["results"][name].as_f64().unwrap();
        let _case = conformance::case(metric(name), "compat", &golden, "emva1288");
        conformance::compare(value, expected);
        assert!((value / expected - 1.0).abs() < 1e-9, "{name} {value} {expected}");
    }
    assert_eq!(saturation.index, 27);
}

/// Images of 12 x 16 pixels: means and temporal variances of pairs, the numbers from them, and the
/// spatial spreads of stacks of eight. The package fits lines by
/// iteration, the dark noise to 1e-8.
#[test]
fn sums_of_images_and_non_uniformity_agree_with_emva1288() {
    let text = include_str!("../../../../testdata/emva1288_photon_transfer/made_images.json");
    let golden: Value = serde_json::from_str(text).unwrap();
    let stack = |value: &Value| -> Vec<Vec<f64>> {
        let images: Vec<Vec<Vec<f64>>> = serde_json::from_value(value.clone()).unwrap();
        images.into_iter().map(|rows| rows.concat()).collect()
    };
    let close = |got: f64, expected: &Value, relative: f64| {
        let expected = expected.as_f64().unwrap();
        conformance::compare(got, expected);
        assert!((got - expected).abs() <= relative * expected.abs(), "{got} {expected}");
    };
    let mut points = Vec::new();
    for (index, pair) in golden["pairs"].as_array().unwrap().iter().enumerate() {
        let (bright, dark) = (stack(&pair["bright"]), stack(&pair["dark"]));
        let [exposure_s, photons] = ["exposure", "photons"].map(|n| pair[n].as_f64().unwrap());
        let (bright, dark) = ([&bright[0][..], &bright[1]], [&dark[0][..], &dark[1]]);
        let point = exposure_point(bright, dark, exposure_s, photons).unwrap();
        for (got, name) in [
            (point.mean_dn, "u_y"),
            (point.variance_dn2, "s2_y"),
            (point.dark_mean_dn, "u_ydark"),
            (point.dark_variance_dn2, "s2_ydark"),
        ] {
            close(got, &golden["temporal"][name][index], 1e-12);
        }
        points.push(point);
    }
    let results = &golden["results"];
    let got = photon_transfer(&points, PhotonTransferMode::Emva1288).unwrap().unwrap();
    let saturation = got.saturation.unwrap();
    let row = |metric: &str| conformance::case(metric, "compat", &golden, "emva1288");
    let case = row("sensor.camera, other results");
    close(got.gain_dn_per_electron, &results["K"], 1e-9);
    close(got.responsivity_dn_per_photon, &results["R"], 1e-9);
    close(got.dark_noise_dn, &results["sigma_y_dark"], 1e-8);
    close(got.dark_noise_electrons, &results["sigma_d"], 1e-8);
    close(got.threshold_photons, &results["u_p_min"], 1e-8);
    close(saturation.photons, &results["u_p_sat"], 1e-12);
    close(saturation.snr_max, &results["SNR_max"], 1e-9);
    close(saturation.dynamic_range, &results["DR"], 1e-8);
    close(saturation.linearity.unwrap().error_percent_min, &golden["linearity"][0], 1e-9);
    close(saturation.linearity.unwrap().error_percent_max, &golden["linearity"][1], 1e-9);
    drop(case);

    let (bright, dark) = (stack(&golden["bright"]), stack(&golden["dark"]));
    let bright: Vec<&[f64]> = bright.iter().map(Vec::as_slice).collect();
    let dark: Vec<&[f64]> = dark.iter().map(Vec::as_slice).collect();
    let spread = non_uniformity(&bright, &dark, got.gain_dn_per_electron).unwrap();
    let case = row(registry::SENSOR_CAMERA_DSNU.as_str());
    close(spread.dark_electrons.unwrap(), &results["DSNU1288"], 1e-9);
    drop(case);
    let _case = row(registry::SENSOR_CAMERA_PRNU.as_str());
    close(spread.response_percent.unwrap(), &results["PRNU1288"], 1e-9);
}

/// The camera of the golden case saturates after point 10, not at point 27: the corrected mode gives
/// a capacity that is 2.7 times smaller, and the same gain.
#[test]
fn the_corrected_saturation_is_where_the_variance_is_largest() {
    let (_, points) = golden();
    let modes = [PhotonTransferMode::Corrected, PhotonTransferMode::Emva1288];
    let [corrected, program] = modes.map(|mode| photon_transfer(&points, mode).unwrap().unwrap());
    let [here, there] = [&corrected, &program].map(|t| t.saturation.clone().unwrap());
    assert_eq!((here.index, there.index), (10, 27));
    assert!((there.electrons / here.electrons - 2.7).abs() < 0.1);
    assert!((corrected.gain_dn_per_electron / program.gain_dn_per_electron - 1.0).abs() < 0.01);
}

/// Photons, electrons and DN as normal draws: counts are large.
struct Camera {
    gain: f64,
    read_electrons: f64,
    full_electrons: f64,
    offset_dn: f64,
}

impl Camera {
    fn value(&self, electrons: f64, draws: &mut Draws) -> f64 {
        let with_noise = electrons
            + electrons.max(0.0).sqrt() * draws.normal()
            + self.read_electrons * draws.normal();
        (self.offset_dn + self.gain * with_noise.min(self.full_electrons)).round()
    }

    fn image(&self, electrons: f64, size: u64, seed: Seed) -> Vec<f64> {
        (0..size).map(|pixel| self.value(electrons, &mut seed.draws(0, pixel))).collect()
    }
}

const CAMERA: Camera =
    Camera { gain: 0.25, read_electrons: 8.0, full_electrons: 12_000.0, offset_dn: 20.0 };

fn exposures(camera: &Camera, levels: &[f64]) -> Vec<ExposurePoint> {
    let size = 20_000;
    levels
        .iter()
        .enumerate()
        .map(|(i, electrons)| {
            let image = |which, electrons| {
                camera.image(electrons, size, Seed(4).for_purpose(&format!("{i} {which}")))
            };
            let [a, b, c, d] =
                [image(0, *electrons), image(1, *electrons), image(2, 0.0), image(3, 0.0)];
            let exposure_s = 0.001 * (i + 1) as f64;
            exposure_point([&a, &b], [&c, &d], exposure_s, electrons / 0.6).unwrap()
        })
        .collect()
}

/// A variance of 20,000 pixels has a standard error of 1 %; the gain of some points less.
#[test]
fn photon_transfer_recovers_a_simulated_camera() {
    let levels: Vec<f64> = (1..=20).map(|i| f64::from(i) * 800.0).collect();
    let points = exposures(&CAMERA, &levels);
    let got = photon_transfer(&points, PhotonTransferMode::Corrected).unwrap().unwrap();
    assert!((got.gain_dn_per_electron / 0.25 - 1.0).abs() < 0.02, "{got:?}");
    assert!((got.quantum_efficiency / 0.6 - 1.0).abs() < 0.02);
    assert!((got.dark_noise_electrons / 8.0 - 1.0).abs() < 0.03, "{got:?}");
    assert!(!got.is_dark_noise_at_most);
    let saturation = got.saturation.unwrap();
    assert!((saturation.electrons / 12_000.0 - 1.0).abs() < 0.08, "{saturation:?}");
    assert!(saturation.linearity.unwrap().error_percent_max < 1.0);
}

#[test]
fn saturation_and_gain_that_are_not_reached_are_not_identifiable() {
    let points = exposures(&CAMERA, &[1000.0, 2000.0, 3000.0, 4000.0]);
    let got = photon_transfer(&points, PhotonTransferMode::Corrected).unwrap().unwrap();
    assert!((got.gain_dn_per_electron / 0.25 - 1.0).abs() < 0.03);
    assert!(matches!(got.saturation, Err(NotIdentifiable::NoVariation { .. })));
    let mut flat = points;
    for point in &mut flat {
        point.variance_dn2 = point.dark_variance_dn2;
    }
    let flat = photon_transfer(&flat, PhotonTransferMode::Corrected).unwrap();
    assert!(flat.is_err(), "{flat:?}");
}

/// Twice the digital gain: twice `K`, four times the variance, the same electrons.
#[test]
fn gain_scales_with_the_digital_number() {
    let (_, points) = golden();
    let scaled: Vec<ExposurePoint> = points
        .iter()
        .map(|p| ExposurePoint {
            mean_dn: 4.0 * p.mean_dn,
            variance_dn2: 16.0 * p.variance_dn2,
            dark_mean_dn: 4.0 * p.dark_mean_dn,
            dark_variance_dn2: 16.0 * p.dark_variance_dn2,
            ..*p
        })
        .collect();
    let of = |points: &[ExposurePoint]| -> PhotonTransfer {
        photon_transfer(points, PhotonTransferMode::Corrected).unwrap().unwrap()
    };
    let (one, other) = (of(&points), of(&scaled));
    assert_eq!(4.0 * one.gain_dn_per_electron, other.gain_dn_per_electron);
    assert_eq!(one.quantum_efficiency, other.quantum_efficiency);
    assert_eq!(one.saturation.unwrap().electrons, other.saturation.unwrap().electrons);
}

/// 10,000 pixels with 2 % response and 5 electrons of dark pattern: the spatial spreads are known to
/// 1 %, and temporal noise is taken off.
#[test]
fn non_uniformity_recovers_simulated_patterns() {
    let stack = |electrons: f64, name: &str| -> Vec<Vec<f64>> {
        (0..16)
            .map(|shot| {
                let seed = Seed(9).for_purpose(&format!("{name} {shot}"));
                (0..10_000)
                    .map(|pixel| {
                        let mut pattern = Seed(10).draws(0, pixel);
                        let (response, dark) =
                            (1.0 + 0.02 * pattern.normal(), 5.0 * pattern.normal());
                        CAMERA.value(electrons * response + dark, &mut seed.draws(0, pixel))
                    })
                    .collect()
            })
            .collect()
    };
    let (bright, dark) = (stack(6000.0, "bright"), stack(0.0, "dark"));
    let bright: Vec<&[f64]> = bright.iter().map(Vec::as_slice).collect();
    let dark: Vec<&[f64]> = dark.iter().map(Vec::as_slice).collect();
    let got = non_uniformity(&bright, &dark, 0.25).unwrap();
    assert!((got.response_percent.unwrap() / 2.0 - 1.0).abs() < 0.05);
    assert!((got.dark_electrons.unwrap() / 5.0 - 1.0).abs() < 0.1);
    assert!(matches!(
        non_uniformity(&bright, &bright, 0.25).unwrap().response_percent,
        Err(NotIdentifiable::NoVariation { .. })
    ));
    assert!(non_uniformity(&bright[..1], &dark, 0.25).is_err());
}

const WIDTH: usize = 256;
const VIDEO: VideoNoiseOptions =
    VideoNoiseOptions { width: WIDTH, black_dn: 20.0, white_dn: 2900.0 };

/// A ramp of grey seen by a camera of gain 0.25 DN per electron.
fn video(count: u64, process: impl Fn(f64) -> f64) -> Vec<Vec<f64>> {
    (0..count)
        .map(|frame| {
            let seed = Seed(20).for_purpose(&format!("{frame}"));
            (0..(WIDTH * WIDTH) as u64)
                .map(|pixel| {
                    let column = pixel % WIDTH as u64;
                    let electrons = 400.0 + 50.0 * column as f64;
                    process(CAMERA.value(electrons, &mut seed.draws(0, pixel)))
                })
                .collect()
        })
        .collect()
}

fn noise_of(frames: &[Vec<f64>]) -> Result<VideoNoise, NotIdentifiable> {
    let frames: Vec<&[f64]> = frames.iter().map(Vec::as_slice).collect();
    video_noise(&frames, &VIDEO).unwrap()
}

/// Variance = gain (mean - 20) + (0.25 * 8)^2 + 1/12: a read variance of 4.08 at the black level 20.
/// With a black level of 0 it would be -0.92, which says that the level lies higher.
#[test]
fn noise_of_simulated_video_is_recovered() {
    let frames = video(6, |value| value);
    let frames: Vec<&[f64]> = frames.iter().map(Vec::as_slice).collect();
    let got = video_noise(&frames, &VIDEO).unwrap().unwrap();
    assert!((got.gain_dn - 0.25).abs() < 4.0 * got.gain_standard_error_dn, "{got:?}");
    assert!(got.gain_standard_error_dn < 0.01 && got.neighbour_correlation.abs() < 0.02);
    assert!((got.read_variance_dn2 - 4.08).abs() < 2.5, "{got:?}");
}

#[test]
fn processed_video_is_not_identifiable() {
    let misfit = |frames: &[Vec<f64>], sign: &str| match noise_of(frames) {
        Err(NotIdentifiable::Misfit { what, .. }) => assert!(what.contains(sign), "{what}"),
        other => panic!("{sign}: {other:?}"),
    };
    // A gamma curve bends the noise over the levels.
    misfit(&video(6, |value| 2900.0 * math::pow(value / 2900.0, 0.45)), "brightness");
    // A denoiser, or demosaicing: neighbours share noise.
    let mut smooth = video(2, |value| value);
    for frame in &mut smooth {
        for index in (1..frame.len()).rev() {
            frame[index] = 0.5 * (frame[index] + frame[index - 1]);
        }
    }
    misfit(&smooth, "correlation");
    // A codec that repeats what has changed little.
    let mut coded = video(2, |value| value);
    let (first, second) = coded.split_at_mut(1);
    let half = first[0].len() / 2;
    second[0][..half].copy_from_slice(&first[0][..half]);
    misfit(&coded, "without any change");
    // The same frame twice.
    let still = video(1, |value| value);
    let twice = [still[0].clone(), still[0].clone()];
    assert!(matches!(noise_of(&twice), Err(NotIdentifiable::NoVariation { .. })));
    // One grey.
    let flat: Vec<Vec<f64>> = (0..2)
        .map(|frame| {
            let pixels = 0..(WIDTH * WIDTH) as u64;
            pixels.map(|pixel| 300.0 + Seed(31).draws(frame, pixel).normal()).collect()
        })
        .collect();
    assert!(matches!(noise_of(&flat), Err(NotIdentifiable::NoVariation { .. })));
}

/// A quarter of the frame moves: the medians of the levels hold.
#[test]
fn motion_in_part_of_the_frame_does_not_count() {
    let mut frames = video(6, |value| value);
    for (shot, frame) in frames.iter_mut().enumerate() {
        for (index, value) in frame.iter_mut().enumerate() {
            if index / WIDTH < WIDTH / 4 {
                *value += f64::from(u8::from((index + 9 * shot) % 16 < 8)) * 150.0;
            }
        }
    }
    let still = noise_of(&video(6, |value| value)).unwrap();
    let moving = noise_of(&frames).unwrap();
    assert!((moving.gain_dn / still.gain_dn - 1.0).abs() < 0.1, "{moving:?} {still:?}");
}

fn shifts(delay_s: f64, noise_px: f64) -> Vec<RowShift> {
    (0..400)
        .map(|index| {
            let mut draws = Seed(40).draws(0, index);
            let row = 480.0 * draws.uniform();
            let velocity_px_per_s = [800.0 * draws.normal(), 200.0 * draws.normal()];
            let shift_px =
                velocity_px_per_s.map(|v| v * (0.001 + delay_s * row) + noise_px * draws.normal());
            RowShift { row, velocity_px_per_s, shift_px }
        })
        .collect()
}

#[test]
fn a_simulated_line_delay_is_recovered() {
    for delay_s in [3e-5, -3e-5, 0.0] {
        let got = line_delay(&shifts(delay_s, 0.3), 0.999).unwrap().unwrap();
        assert!(got.interval.low <= delay_s && delay_s <= got.interval.high, "{got:?}");
        assert!((got.offset_s - 0.001).abs() < 2e-4 && (got.residual_px - 0.42).abs() < 0.05);
        let exact = line_delay(&shifts(delay_s, 0.0), 0.95).unwrap().unwrap();
        assert!((exact.delay_s - delay_s).abs() < 1e-12);
    }
}

#[test]
fn a_line_delay_needs_motion_and_rows() {
    let no_variation = |shifts: &[RowShift]| {
        let got = line_delay(shifts, 0.95).unwrap();
        assert!(matches!(got, Err(NotIdentifiable::NoVariation { .. })), "{got:?}");
    };
    let still: Vec<RowShift> = shifts(3e-5, 0.3)
        .into_iter()
        .map(|shift| RowShift { velocity_px_per_s: [0.0; 2], ..shift })
        .collect();
    no_variation(&still);
    let one_row: Vec<RowShift> =
        shifts(3e-5, 0.3).into_iter().map(|shift| RowShift { row: 100.0, ..shift }).collect();
    no_variation(&one_row);
    assert!(matches!(line_delay(&[], 0.95).unwrap(), Err(NotIdentifiable::TooFew { .. })));
    let mut broken = shifts(3e-5, 0.3);
    broken[7].row = f64::NAN;
    let what = "row shifts";
    assert_eq!(line_delay(&broken, 0.95), Err(MeasureError::NotFinite { what, index: 7 }));
}

/// Hostile numbers: an error, a reason or finite numbers, never a panic.
#[test]
fn hostile_images_and_exposures_do_not_panic() {
    const HOSTILE: [f64; 9] = [0.0, 1.0, 2.0, -1.0, 1e-300, f64::NAN, f64::INFINITY, 1e99, 1e300];
    for seed in 0..2000 {
        let mut draws = Seed(seed).draws(3, 0);
        let kinds = if draws.uniform() < 0.7 { 4 } else { HOSTILE.len() };
        let points: Vec<ExposurePoint> = (0..draws.below(7))
            .map(|i| {
                let mut value = || HOSTILE[draws.below(kinds)];
                ExposurePoint {
                    exposure_s: value(),
                    photons: i as f64,
                    mean_dn: value(),
                    variance_dn2: value(),
                    dark_mean_dn: value(),
                    dark_variance_dn2: value(),
                }
            })
            .collect();
        let size = [64, 64, 256, 7][draws.below(4)];
        let frames: Vec<Vec<f64>> = (0..draws.below(5))
            .map(|_| (0..size).map(|_| HOSTILE[draws.below(kinds)]).collect())
            .collect();
        let outcome = catch_unwind(|| {
            for mode in [PhotonTransferMode::Corrected, PhotonTransferMode::Emva1288] {
                if let Ok(Ok(got)) = photon_transfer(&points, mode) {
                    assert!(got.gain_dn_per_electron > 0.0 && !got.threshold_photons.is_nan());
                }
            }
            let views: Vec<&[f64]> = frames.iter().map(Vec::as_slice).collect();
            let options = VideoNoiseOptions { width: 8, black_dn: -5.0, white_dn: 5.0 };
            let _ = video_noise(&views, &options);
            let _ = non_uniformity(&views, &views, 1.0);
        });
        assert!(outcome.is_ok(), "seed {seed}: {points:?}");
    }
}
