//! Metrics of planar scans and of the maps they fit.

use super::metrics;

metrics! {
    MAP_UNKNOWN_SHARE = "map.unknown_share", "1",
        "Share of a scan's end points that lie in unknown cells of the map.",
        "this project";
    MAP_WALL_RESIDUAL = "map.wall_residual", "m",
        "Distance from a scan's end point to the nearest piece of wall of the map.",
        "this project";
    MAP_WITHIN_SHARE = "map.within_share", "1",
        "Share of a scan's end points near a wall of the map, within a tolerance.",
        "this project";
    SCAN_BEAM_AGREEMENT = "scan.beam_agreement", "1",
        "Share of beams that read the same in two scans from the same place, within a tolerance.",
        "this project";
    SCAN_GRID_SHARE = "scan.grid_share", "1",
        "Share of valid readings that are whole multiples of a step.",
        "this project";
    SCAN_RANGE_RESIDUAL = "scan.range_residual", "m",
        "Synthetic minus real range of the beams that are valid in both.",
        "this project";
    SCAN_REPROJECTED_AGREEMENT = "scan.reprojected_agreement", "1",
        "Share of the beams of one scan that another scan from elsewhere confirms, within a tolerance.",
        "this project";
    SCAN_ROUGHNESS = "scan.roughness", "m",
        "Clipped root mean square of the second difference along a scan, scaled to the sigma of white noise.",
        "this project; second-difference noise estimate as Immerkaer 1996 for images";
    SCAN_VALID_SHARE = "scan.valid_share", "1",
        "Share of beams whose reading is a measurement.",
        "this project";
}
