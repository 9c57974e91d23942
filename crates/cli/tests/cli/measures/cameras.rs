//! Cameras: EMVA 1288 from tables and images, video, and rolling shutters.

use serde_json::Value;
use tiepoint_model::Seed;

use super::{Desk, assert_close, csv, golden, run};

/// The golden exposures as a CSV file.
fn exposures(desk: &Desk) -> Value {
    let golden = golden("emva1288_photon_transfer/emva1288_photon_transfer.json");
    let column = |name: &str| -> Vec<f64> {
        serde_json::from_value(golden["temporal"][name].clone()).unwrap()
    };
    let columns = ["texp", "u_p", "u_y", "s2_y", "u_ydark", "s2_ydark"].map(column);
    let rows: Vec<Vec<f64>> = (0..columns[0].len())
        .map(|row| {
            let cells = columns.iter().map(|column| column[row]);
            // The package counts exposure in nanoseconds.
            cells.enumerate().map(|(at, cell)| if at == 0 { 1e-9 * cell } else { cell }).collect()
        })
        .collect();
    let header = "exposure_s,photons,mean_dn,variance_dn2,dark_mean_dn,dark_variance_dn2";
    desk.write("emva.csv", csv(header, &rows).as_bytes());
    golden
}

fn pgm(width: usize, largest: u16, values: &[u16]) -> Vec<u8> {
    let mut bytes = format!("P5\n{width} {}\n{largest}\n", values.len() / width).into_bytes();
    bytes.extend(values.iter().flat_map(|value| value.to_be_bytes()));
    bytes
}

#[test]
fn photon_transfer_is_that_of_emva1288() {
    let desk = Desk::new();
    let results = &exposures(&desk)["results"];
    let of = |more: &[&str]| {
        let files = ["--exposures", "emva.csv"];
        run(&desk, "sensor.camera.photon_transfer", &[files.as_slice(), more].concat())
    };
    let compat = of(&["--mode", "compat"]).expect_code(0).json();
    for (ours, theirs) in [
        ("value", "K"),
        ("responsivity_dn_per_photon", "R"),
        ("dark_noise", "sigma_d"),
        ("threshold_photons", "u_p_min"),
        ("saturation", "u_e_sat"),
        ("saturation_photons", "u_p_sat"),
        ("snr_max", "SNR_max"),
        ("dynamic_range", "DR"),
        ("linearity_error_percent_max", "LE_max"),
    ] {
        assert_close(&compat[ours], &results[theirs]);
    }
    assert!(compat["metric"].as_str().unwrap().contains("compat:emva1288==1.0.2"), "{compat}");
    let corrected = of(&[]).expect_code(0).json();
    assert!(corrected["saturation"].as_f64() < compat["saturation"].as_f64(), "{corrected}");
    of(&["--mode", "odd"]).expect_code(2);
    desk.write("emva.csv", b"exposure_s,photons\n1,2\n");
    let missing = of(&[]).expect_code(2).stderr;
    assert!(missing.contains("mean_dn") && missing.contains("hint: "), "{missing}");
    let header = "exposure_s,photons,mean_dn,variance_dn2,dark_mean_dn,dark_variance_dn2";
    let flat: Vec<Vec<f64>> =
        (1..9).map(|i| vec![0.1, f64::from(i), 10.0 * f64::from(i), 2.0, 1.0, 2.0]).collect();
    desk.write("emva.csv", csv(header, &flat).as_bytes());
    let flat = of(&[]).expect_code(3).json();
    assert!(flat["value"].is_null() && flat["reason"].is_string(), "{flat}");
}

#[test]
fn stacks_of_images_have_the_spread_that_emva1288_gives() {
    let desk = Desk::new();
    let golden = golden("emva1288_photon_transfer/made_images.json");
    let mut files = Vec::new();
    for side in ["bright", "dark"] {
        let images: Vec<Vec<Vec<u16>>> = serde_json::from_value(golden[side].clone()).unwrap();
        for (index, image) in images.iter().enumerate() {
            let name = format!("{side}{index}.pgm");
            desk.write(&name, &pgm(image[0].len(), 4095, &image.concat()));
            files.push((side, name));
        }
    }
    let of = |side: &str| -> Vec<&str> {
        files.iter().filter(|(found, _)| *found == side).map(|(_, name)| name.as_str()).collect()
    };
    let gain = golden["results"]["K"].to_string();
    let stacks = [&["--bright"], &of("bright")[..], &["--dark"], &of("dark"), &["--gain", &gain]];
    let found = run(&desk, "sensor.camera.non_uniformity", &stacks.concat()).expect_code(0).json();
    assert_close(&found["value"], &golden["results"]["PRNU1288"]);
    assert_close(&found["dark"], &golden["results"]["DSNU1288"]);
    assert_eq!(found["metrics"]["dark"], "sensor.camera.dsnu");
    desk.write("dark0.pgm", b"P5\n4 4\n255\nxx");
    let short = run(&desk, "sensor.camera.non_uniformity", &stacks.concat()).expect_code(2).stderr;
    assert!(short.contains("dark0.pgm") && short.contains("2 bytes"), "{short}");
}

/// Variance 4 + 0.5 mean, rounding on top; a ramp of brightness.
#[test]
fn the_gain_of_simulated_video_is_found_and_repeated_frames_have_none() {
    const WIDTH: usize = 256;
    let desk = Desk::new();
    let frame = |seed: u64| {
        let mut draws = Seed(seed).draws(0, 0);
        let pixel = |index: usize| {
            let mean = 200.0 + 3000.0 * (index % WIDTH) as f64 / WIDTH as f64;
            let value = mean + (4.0 + 0.5 * mean).sqrt() * draws.normal();
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded")]
            let value = value.round().clamp(0.0, 4095.0) as u16;
            value
        };
        pgm(WIDTH, 4095, &(0..WIDTH * WIDTH).map(pixel).collect::<Vec<_>>())
    };
    desk.write("f0.pgm", &frame(1));
    desk.write("f1.pgm", &frame(2));
    let of = |files: [&str; 2]| {
        run(&desk, "sensor.camera.video_gain", &[["--frames"].as_slice(), &files].concat())
    };
    let found = of(["f0.pgm", "f1.pgm"]).expect_code(0).json();
    let error = found["value"].as_f64().unwrap() - 0.5;
    assert!(error.abs() < 4.0 * found["standard_error"].as_f64().unwrap(), "{found}");
    let repeated = of(["f0.pgm", "f0.pgm"]).expect_code(3).json();
    assert!(repeated["reason"].as_str().unwrap().contains("frames repeat"), "{repeated}");
    desk.write("narrow.pgm", &pgm(8, 255, &[]));
    of(["f0.pgm", "narrow.pgm"]).expect_code(2);
}

/// Shifts made from a delay of 30 microseconds a row and an offset of a millisecond.
#[test]
fn the_line_delay_that_made_the_shifts_is_found() {
    let desk = Desk::new();
    let rows: Vec<Vec<f64>> = (0..20)
        .map(|i| {
            let (row, speed) = (24.0 * f64::from(i), 100.0 - 7.0 * f64::from(i));
            vec![row, speed, 50.0, speed * (1e-3 + 3e-5 * row), 50.0 * (1e-3 + 3e-5 * row)]
        })
        .collect();
    let header = "row,velocity_x_px_per_s,velocity_y_px_per_s,shift_x_px,shift_y_px";
    desk.write("shifts.csv", csv(header, &rows).as_bytes());
    let files = ["--shifts", "shifts.csv"];
    let found = run(&desk, "sensor.camera.line_delay", &files).expect_code(0).json();
    assert!((found["value"].as_f64().unwrap() - 3e-5).abs() < 1e-12, "{found}");
    assert!((found["offset_s"].as_f64().unwrap() - 1e-3).abs() < 1e-9, "{found}");
    let still: Vec<Vec<f64>> = rows.iter().map(|row| vec![row[0], 0.0, 0.0, 0.0, 0.0]).collect();
    desk.write("shifts.csv", csv(header, &still).as_bytes());
    let still = run(&desk, "sensor.camera.line_delay", &files).expect_code(3).json();
    assert!(still["reason"].as_str().unwrap().contains("motion"), "{still}");
}
