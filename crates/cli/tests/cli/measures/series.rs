//! Signals in time, and scores of a panel.

use super::{Desk, assert_close, csv, of_samples, run};

#[test]
fn scores_and_signals_are_measured_in_the_order_of_their_rows() {
    let desk = Desk::new();
    desk.write(
        "panel.csv",
        b"system,real,sim\na,0.9,0.8\nb,0.7,0.75\nc,0.4,0.5\nd,0.3,0.6\ne,0.1,0.2\n",
    );
    let panel = ["--scores", "panel.csv", "--real", "real", "--synthetic", "sim"];
    let tau = run(&desk, "ranking.kendall_tau_b", &panel).expect_code(0).json();
    assert_close(&tau["value"], &0.8.into());
    // Only c and d are ordered the other way: (0.1 + 0.1) / 5.
    let violation = run(&desk, "ranking.mmrv", &panel).expect_code(0).json();
    assert_close(&violation["value"], &0.04.into());
    let linear = run(&desk, "ranking.srcc", &panel).expect_code(0).json();
    assert!(linear["low"].as_f64() < linear["value"].as_f64(), "{linear}");
    let wave = |late: f64| {
        let at = |i: i32| vec![(0.1 * f64::from(i) - late).sin()];
        csv("x", &(0..600).map(at).collect::<Vec<_>>())
    };
    desk.write("real.csv", wave(0.0).as_bytes());
    desk.write("synthetic.csv", wave(0.3).as_bytes());
    let bent = of_samples(&desk, "signal.dtw", &["--band", "10"])["value"].as_f64().unwrap();
    let straight = of_samples(&desk, "signal.dtw", &["--band", "0"])["value"].as_f64().unwrap();
    assert!(bent < 0.1 * straight, "{bent} {straight}");
    let spectra = of_samples(&desk, "signal.log_spectral_distance", &["--rate-hz", "10"]);
    assert_eq!(spectra["unit"], "dB");
    assert!(spectra["value"].as_f64().unwrap() > 0.0, "{spectra}");
    let memory = ["--stream", "real.csv", "--column", "x"];
    let memory = run(&desk, "autocorrelation.time", &memory).expect_code(0).json();
    assert!(memory["value"].as_f64().unwrap() > 2.0, "{memory}");
}

#[test]
fn residuals_are_synthetic_less_real_and_say_their_blocks() {
    let desk = Desk::new();
    desk.write("beams.csv", b"real,sim\n1,1.1\n2,2.3\n");
    let files = ["--pairs", "beams.csv", "--real", "real", "--synthetic", "sim"];
    let found = run(&desk, "residual.mean", &files).expect_code(0).json();
    assert_close(&found["value"], &0.2.into());
    assert_close(&found["rmse"], &0.05_f64.sqrt().into());
    assert_eq!(found["block_length"], 1);
    assert!(found["metrics"]["rmse"].as_str().unwrap().starts_with("residual.rmse["), "{found}");
    // A wave of 600 rows remembers: the interval draws blocks.
    let rows: Vec<Vec<f64>> = (0..600).map(|i| vec![0.0, (0.05 * f64::from(i)).sin()]).collect();
    desk.write("beams.csv", csv("real,sim", &rows).as_bytes());
    let wave = run(&desk, "residual.mean", &files).expect_code(0).json();
    assert!(wave["block_length"].as_u64().unwrap() > 5, "{wave}");
    let single = [files.as_slice(), &["--block-length", "1"]].concat();
    let single = run(&desk, "residual.mean", &single).expect_code(0).json();
    let width = |found: &serde_json::Value| {
        found["high"].as_f64().unwrap() - found["low"].as_f64().unwrap()
    };
    assert!(width(&wave) > 2.0 * width(&single), "{wave} {single}");
    desk.write("beams.csv", b"real,sim\n1,\n");
    run(&desk, "residual.mean", &files).expect_code(2);
}
