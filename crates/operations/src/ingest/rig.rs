//! The last pass of a rig: its mountings as they were.

use std::collections::BTreeMap;

use tiepoint_formats::{Samples, Table};
use tiepoint_measure::quality::TransformGraph;
use tiepoint_model::Timestamp;

use crate::{Error, Platform, inspect::Mountings, recording};

/// The mountings of the rig's recording that ended last before a time; none if there is no such pass.
pub(super) async fn last_pass(
    platform: &Platform,
    rig: &str,
    before: Timestamp,
) -> Result<Mountings, Error> {
    let all = recording::all(platform).await?;
    let passes = all
        .into_iter()
        .filter(|pass| pass.rig.as_deref() == Some(rig) && pass.start_time_ns < before);
    let Some(last) = passes.max_by_key(|pass| pass.start_time_ns) else {
        return Ok(Mountings::default());
    };
    let mut graph = TransformGraph::default();
    for topic in recording::topics_of(&last, Table::Transforms) {
        if !topic.ends_with("tf_static") {
            continue;
        }
        let samples = recording::samples(platform, &last, Table::Transforms, &topic).await?;
        if let Samples::Transforms(transforms) = samples {
            transforms.iter().for_each(|transform| graph.add(transform, true));
        }
    }
    let mut cameras = BTreeMap::new();
    for topic in recording::topics_of(&last, Table::Cameras) {
        let samples = recording::samples(platform, &last, Table::Cameras, &topic).await?;
        if let Samples::Cameras(calibrations) = samples {
            cameras.extend(calibrations.last().map(|camera| (topic, camera.clone())));
        }
    }
    Ok(Mountings { poses: graph.mountings(), cameras })
}
