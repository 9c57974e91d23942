//! Metrics of an estimated trajectory against a reference.

use super::metrics;

metrics! {
    TRAJ_APE_FULL = "traj.ape.full", "1",
        "Absolute pose error, Frobenius norm of the error pose minus the identity; metres and rotation mixed.",
        "Sturm et al. 2012; evo 1.38.1";
    TRAJ_APE_ROTATION_DEG = "traj.ape.rotation_deg", "deg",
        "Absolute pose error, angle of the error rotation in degrees.",
        "Sturm et al. 2012; evo 1.38.1";
    TRAJ_APE_ROTATION_FROBENIUS = "traj.ape.rotation_frobenius", "1",
        "Absolute pose error, Frobenius norm of error rotation minus identity.",
        "Sturm et al. 2012; evo 1.38.1";
    TRAJ_APE_ROTATION_RAD = "traj.ape.rotation_rad", "rad",
        "Absolute pose error, angle of the error rotation in radians.",
        "Sturm et al. 2012; evo 1.38.1";
    TRAJ_APE_TRANSLATION = "traj.ape.translation", "m",
        "Absolute pose error, distance between estimated and reference position.",
        "Sturm et al. 2012; evo 1.38.1";
    TRAJ_RPE_DISTANCE_RATIO = "traj.rpe.distance_ratio", "%",
        "Relative pose error, difference of the distances moved over the reference's.",
        "evo 1.38.1";
    TRAJ_RPE_FULL = "traj.rpe.full", "1",
        "Relative pose error, Frobenius norm of the error motion minus the identity; metres and rotation mixed.",
        "Sturm et al. 2012; evo 1.38.1";
    TRAJ_RPE_ROTATION_DEG = "traj.rpe.rotation_deg", "deg",
        "Relative pose error, angle of the error rotation in degrees.",
        "Sturm et al. 2012; evo 1.38.1";
    TRAJ_RPE_ROTATION_FROBENIUS = "traj.rpe.rotation_frobenius", "1",
        "Relative pose error, Frobenius norm of error rotation minus identity.",
        "Sturm et al. 2012; evo 1.38.1";
    TRAJ_RPE_ROTATION_RAD = "traj.rpe.rotation_rad", "rad",
        "Relative pose error, angle of the error rotation in radians.",
        "Sturm et al. 2012; evo 1.38.1";
    TRAJ_RPE_TRANSLATION = "traj.rpe.translation", "m",
        "Relative pose error, length of the difference of two motions.",
        "Sturm et al. 2012; evo 1.38.1";
}
