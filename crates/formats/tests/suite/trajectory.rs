//! Trajectories as text: what is read, and what is refused with line and column.

use tiepoint_formats::{TrajectoryFormat, read_trajectory, write_tum};
use tiepoint_model::{Pose3, Timestamp, Trajectory};

use TrajectoryFormat::{Euroc, Kitti, Tum};

#[test]
fn tum_is_read_to_the_nanosecond() {
    let text = b"\xef\xbb\xbf# comment\n 1305031102.175304123 1 2 3 0 0 0.6 0.8\r\n\n\
                 1.305031103e+09\t-1 0 2.5e-1 0 0 0 2\n";
    let trajectory = read_trajectory(Tum, text).unwrap();
    let stamps = [Timestamp(1_305_031_102_175_304_123), Timestamp(1_305_031_103_000_000_000)];
    assert_eq!(trajectory.stamps(), stamps);
    let first = Pose3::from_quaternion_xyzw([1.0, 2.0, 3.0], [0.0, 0.0, 0.6, 0.8]).unwrap();
    assert_eq!(trajectory.poses()[0], first);
    assert_eq!(trajectory.poses()[1].rotation, Pose3::identity().rotation);
}

#[test]
fn kitti_keeps_its_matrix_as_it_is_and_counts_seconds() {
    let text = b"1 2 3 4 5 6 7 8 9 10 11 12\n1 0 0 0 0 1 0 0 0 0 1 0\n";
    let trajectory = read_trajectory(Kitti, text).unwrap();
    assert_eq!(trajectory.stamps(), [Timestamp(0), Timestamp(1_000_000_000)]);
    let pose = trajectory.poses()[0];
    assert_eq!(pose.translation_m.as_slice(), [4.0, 8.0, 12.0]);
    assert_eq!((pose.rotation[(0, 2)], pose.rotation[(2, 0)]), (3.0, 9.0));
}

#[test]
fn euroc_puts_w_first_and_may_have_more_columns() {
    let text = b"#timestamp, p_x\n1403715524907143116,1,2,3,0.8,0,0,0.6,7,8,9\n";
    let trajectory = read_trajectory(Euroc, text).unwrap();
    assert_eq!(trajectory.stamps(), [Timestamp(1_403_715_524_907_143_116)]);
    let expected = Pose3::from_quaternion_xyzw([1.0, 2.0, 3.0], [0.0, 0.0, 0.6, 0.8]).unwrap();
    assert_eq!(trajectory.poses()[0], expected);
}

#[test]
fn a_line_that_is_no_pose_is_refused_with_line_and_column() {
    let check = |format, text: &str, expected: &str| {
        let error = read_trajectory(format, text.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), expected, "{text:?}");
    };
    let good = "1 1 2 3 0 0 0 1\n";
    check(Tum, "", "there is no data in it");
    check(Tum, "# only\n", "there is no data in it");
    check(Tum, &format!("{good}x 1 2 3 0 0 0 1"), "line 2, column 1: `x` is no time in seconds");
    check(Tum, "1 1 2 3 0 0 0", "line 1, column 8: the line ends; 8 fields are needed");
    check(Tum, "1 1 2 3 0 0 0 1 9", "line 1, column 9: there are more than 8 fields");
    check(Tum, "1 1 2 nan 0 0 0 1", "line 1, column 4: `nan` is no finite number");
    check(Tum, "1 1 2 1e999 0 0 0 1", "line 1, column 4: `1e999` is no finite number");
    check(Tum, "1 1 2 3 0 0 0 0", "line 1, column 5: the quaternion has length zero");
    check(Kitti, "1 0 0", "line 1, column 4: the line ends; 12 fields are needed");
    check(Euroc, "1.5,1,2,3,1,0,0,0", "line 1, column 1: `1.5` is no time in whole nanoseconds");
}

#[test]
fn what_is_written_as_tum_is_read_back() {
    let stamps = vec![Timestamp(-1_500_000_001), Timestamp(0), Timestamp(i64::MAX)];
    let poses: Vec<Pose3> = [[0.1, 0.2, 0.3, 0.9], [0.0, 0.0, 0.0, 1.0], [0.5, -0.5, 0.5, 0.5]]
        .map(|q| Pose3::from_quaternion_xyzw([0.1 + 0.2, -1e-300, 1e20], q).unwrap())
        .to_vec();
    let trajectory = Trajectory::new(stamps.clone(), poses.clone()).unwrap();
    let read = read_trajectory(Tum, write_tum(&trajectory).as_bytes()).unwrap();
    assert_eq!(read.stamps(), stamps);
    for (left, right) in read.poses().iter().zip(&poses) {
        assert_eq!(left.translation_m, right.translation_m);
        // One conversion to a quaternion and back.
        assert!((left.rotation - right.rotation).amax() < 1e-14);
    }
}
