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
    TRAJ_RPE_POINT_DISTANCE = "traj.rpe.point_distance", "m",
        "Relative pose error, difference of the distances moved.",
        "evo 1.38.1";
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
    TRAJ_KITTI_DRIFT_ROTATION = "traj.kitti_drift.rotation_deg_per_m", "deg/m",
        "Rotation error per metre, averaged over sub-sequences of 100 to 800 m.",
        "Geiger et al. 2012; KITTI odometry devkit";
    TRAJ_KITTI_DRIFT_TRANSLATION = "traj.kitti_drift.translation_percent", "%",
        "Translation error per length, averaged over sub-sequences of 100 to 800 m.",
        "Geiger et al. 2012; KITTI odometry devkit";
    TRAJ_LOOP_CLOSURE_ROTATION = "traj.loop_closure.rotation", "rad",
        "Angle between the end of a path and where it is known to end.",
        "this project";
    TRAJ_LOOP_CLOSURE_SHARE = "traj.loop_closure.share", "1",
        "Distance between the end of a path and where it is known to end, over the path's length.",
        "this project";
    TRAJ_LOOP_CLOSURE_TRANSLATION = "traj.loop_closure.translation", "m",
        "Distance between the end of a path and where it is known to end.",
        "this project";
    TRAJ_REFERENCE_ERROR = "traj.reference_error", "m",
        "Standard deviation of one trajectory's position error, from three or more that err independently.",
        "Gray and Allan 1974, three-cornered hat";
    TRAJ_SUB_GRAVITY = "traj.sub_trajectory.gravity", "rad",
        "Tilt of the relative error over a length of the reference's path.",
        "Zhang and Scaramuzza 2018; rpg_trajectory_evaluation";
    TRAJ_SUB_ROTATION = "traj.sub_trajectory.rotation", "rad",
        "Angle of the relative error over a length of the reference's path.",
        "Zhang and Scaramuzza 2018; rpg_trajectory_evaluation";
    TRAJ_SUB_TRANSLATION = "traj.sub_trajectory.translation", "m",
        "Translation of the relative error over a length of the reference's path.",
        "Zhang and Scaramuzza 2018; rpg_trajectory_evaluation";
    TRAJ_SUB_TRANSLATION_PERCENT = "traj.sub_trajectory.translation_percent", "%",
        "Translation of the relative error over a length of the reference's path, per nominal length.",
        "Zhang and Scaramuzza 2018; rpg_trajectory_evaluation";
    TRAJ_SUB_YAW = "traj.sub_trajectory.yaw", "rad",
        "Heading of the relative error over a length of the reference's path.",
        "Zhang and Scaramuzza 2018; rpg_trajectory_evaluation";
    TRAJ_STEP_SCALE = "traj.step_scale", "%",
        "Ratio of the lengths of two paths' steps, less one.",
        "Zhang and Scaramuzza 2018; rpg_trajectory_evaluation";
    TRAJ_TIME_OFFSET = "traj.time_offset", "s",
        "What added to an estimate's stamps makes its motion simultaneous with the reference's.",
        "this project; cross correlation of speeds";
}
