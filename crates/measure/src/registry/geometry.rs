//! Metrics of two point clouds.

use super::metrics;

metrics! {
    GEOM_CHAMFER = "geom.chamfer", "m",
        "Distances from each point of a cloud to the nearest of the other, summarised in a named form.",
        "Fan et al. 2017; Open3D 0.20.0";
    GEOM_CHAMFER_DENSITY_AWARE = "geom.chamfer.density_aware", "1",
        "Bounded Chamfer distance that counts how many points share a nearest neighbour.",
        "Wu et al., Density-aware Chamfer distance, NeurIPS 2021";
    GEOM_CHAMFER_SQUARED = "geom.chamfer.squared", "m^2",
        "Squared distances from each point of a cloud to the nearest of the other, summarised in a named form.",
        "Fan et al. 2017; PyTorch3D";
    GEOM_F_SCORE = "geom.f_score", "1",
        "Harmonic mean of the shares of two clouds that lie within a distance of the other.",
        "Knapitsch et al., Tanks and Temples, 2017";
    GEOM_HAUSDORFF = "geom.hausdorff", "m",
        "Largest distance, or a quantile, from a point of a cloud to the nearest of the other.",
        "Hausdorff 1914; Huttenlocher et al. 1993";
    GEOM_M3C2_DETECTION_LEVEL = "geom.m3c2.detection_level", "m",
        "Least change along the normal that is telling at 95 percent.",
        "Lague et al., 2013";
    GEOM_M3C2_DISTANCE = "geom.m3c2.distance", "m",
        "Change of a surface along its local normal, second epoch less first.",
        "Lague et al., 2013";
    GEOM_PRECISION = "geom.precision", "1",
        "Share of the estimated points that lie within a distance of the reference.",
        "Knapitsch et al., Tanks and Temples, 2017";
    GEOM_RECALL = "geom.recall", "1",
        "Share of the reference points that lie within a distance of the estimate.",
        "Knapitsch et al., Tanks and Temples, 2017";
    GEOM_RESIDUAL_MEAN = "geom.residual.mean", "m",
        "Mean residual of the points of one cell of a grid.",
        "this project";
    GEOM_RESIDUAL_RMS = "geom.residual.rms", "m",
        "Root mean square residual of the points of one cell of a grid.",
        "this project";
}
