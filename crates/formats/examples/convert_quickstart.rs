//! Converts the MRPT datasets that ship with the project: `convert_quickstart DATASETS_FOLDER OUT_FOLDER`.
//!
//! Called by `cargo xtask quickstart-data`; the same input gives the same bytes.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "room: disk, environment, stdout: this is a program"
)]

use std::{collections::BTreeMap, error::Error, path::Path};

use tiepoint_formats::{BeaconPosition, ConvertOptions, GroundTruthLayout, convert_rawlog_to_mcap};

/// Where the beacons stand by `UWB_localization_demo.ini`, metres, in a frame that lies at (2, 4) of the ground truth's.
const BEACONS_M: [(u32, [f64; 3]); 3] =
    [(1, [0.21, -0.55, 1.94]), (2, [6.71, -0.33, 1.04]), (3, [6.7023, 4.3185, 1.33])];
const BEACON_FRAME_M: [f64; 2] = [2.0, 4.0];

struct Conversion {
    name: &'static str,
    rawlog: &'static str,
    ground_truth: Option<(&'static str, GroundTruthLayout)>,
    has_beacons: bool,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(from), Some(to)) = (arguments.next(), arguments.next()) else {
        return Err("usage: convert_quickstart DATASETS_FOLDER OUT_FOLDER".into());
    };
    let conversions = [
        Conversion {
            name: "uwb",
            rawlog: "uwb_ro-localization_demo.rawlog",
            ground_truth: Some((
                "uwb_ro-localization_demo_GT.txt",
                GroundTruthLayout::FrameIndex { offset: 1 },
            )),
            has_beacons: true,
        },
        Conversion {
            name: "sena",
            rawlog: "2006-01ENE-21-SENA_Telecom Faculty_one_loop_only.rawlog",
            ground_truth: None,
            has_beacons: false,
        },
        Conversion {
            name: "simul",
            rawlog: "graphslam-engine-demos/action_observations_map/simul.rawlog",
            ground_truth: Some((
                "graphslam-engine-demos/action_observations_map/simul.rawlog.GT.txt",
                GroundTruthLayout::UnixSeconds,
            )),
            has_beacons: false,
        },
        Conversion {
            name: "range_030",
            rawlog: "graphslam-engine-demos/action_observations_map/range_030_bearing_015.rawlog",
            ground_truth: Some((
                "graphslam-engine-demos/action_observations_map/range_030_bearing_015.rawlog.GT.txt",
                GroundTruthLayout::UnixSeconds,
            )),
            has_beacons: false,
        },
    ];
    conversions.iter().try_for_each(|conversion| convert(conversion, from.as_ref(), to.as_ref()))
}

fn convert(conversion: &Conversion, from: &Path, to: &Path) -> Result<(), Box<dyn Error>> {
    let read = |name: &str| {
        std::fs::read(from.join(name))
            .map_err(|error| format!("{}: {error}", from.join(name).display()))
    };
    let rawlog = read(conversion.rawlog)?;
    let truth = match conversion.ground_truth {
        Some((name, _)) => Some(String::from_utf8(read(name)?)?),
        None => None,
    };
    let beacons = BEACONS_M.into_iter().filter(|_| conversion.has_beacons);
    let options = ConvertOptions {
        beacons: beacons
            .map(|(beacon_id, [x, y, z])| BeaconPosition {
                beacon_id,
                position_in_map_m: [x - BEACON_FRAME_M[0], y - BEACON_FRAME_M[1], z],
            })
            .collect(),
        ground_truth_layout: conversion
            .ground_truth
            .map_or(GroundTruthLayout::UnixSeconds, |(_, layout)| layout),
        metadata: BTreeMap::from([(
            "provenance".to_owned(),
            BTreeMap::from([
                ("source".to_owned(), conversion.rawlog.to_owned()),
                ("package".to_owned(), "Debian mrpt-common".to_owned()),
                ("licence".to_owned(), "BSD-3-Clause".to_owned()),
            ]),
        )]),
    };
    let converted = convert_rawlog_to_mcap(&rawlog, truth.as_deref(), &options)?;
    for warning in &converted.warnings {
        println!("{}: {warning}", conversion.name);
    }
    std::fs::write(to.join(format!("{}.mcap", conversion.name)), &converted.mcap)?;
    if let Some(text) = &converted.ground_truth_tum {
        std::fs::write(to.join(format!("{}.tum", conversion.name)), text)?;
    }
    println!("{}: {} bytes", conversion.name, converted.mcap.len());
    Ok(())
}
