//! The ROS 2 message definitions that the writer puts into a file, in the `ros2msg` form: the
//! type itself, then every type it uses, parted by a line of equal signs.
//!
//! Invariant: the fields and their order are those of the packages named; the comments of the
//! originals are left out.
//!
//! Source: `common_interfaces`, `geometry2` and `mrpt_msgs` for ROS 2 (Humble to Jazzy alike).

use super::MessageKind;

/// One line of 80 equal signs parts the types.
const RULE: &str =
    "================================================================================";

const HEADER: (&str, &str) =
    ("std_msgs/Header", "builtin_interfaces/Time stamp\nstring frame_id\n");
const TIME: (&str, &str) = ("builtin_interfaces/Time", "int32 sec\nuint32 nanosec\n");
const VECTOR3: (&str, &str) = ("geometry_msgs/Vector3", "float64 x\nfloat64 y\nfloat64 z\n");
const POINT: (&str, &str) = ("geometry_msgs/Point", "float64 x\nfloat64 y\nfloat64 z\n");
const QUATERNION: (&str, &str) =
    ("geometry_msgs/Quaternion", "float64 x 0\nfloat64 y 0\nfloat64 z 0\nfloat64 w 1\n");
const POSE: (&str, &str) = ("geometry_msgs/Pose", "Point position\nQuaternion orientation\n");
const TWIST: (&str, &str) = ("geometry_msgs/Twist", "Vector3 linear\nVector3 angular\n");

const LASER_SCAN: &str = "std_msgs/Header header\nfloat32 angle_min\nfloat32 angle_max\n\
    float32 angle_increment\nfloat32 time_increment\nfloat32 scan_time\nfloat32 range_min\n\
    float32 range_max\nfloat32[] ranges\nfloat32[] intensities\n";
const POINT_CLOUD2: &str = "std_msgs/Header header\nuint32 height\nuint32 width\n\
    PointField[] fields\nbool is_bigendian\nuint32 point_step\nuint32 row_step\nuint8[] data\n\
    bool is_dense\n";
const POINT_FIELD: (&str, &str) = (
    "sensor_msgs/PointField",
    "uint8 INT8=1\nuint8 UINT8=2\nuint8 INT16=3\nuint8 UINT16=4\nuint8 INT32=5\n\
     uint8 UINT32=6\nuint8 FLOAT32=7\nuint8 FLOAT64=8\nstring name\nuint32 offset\n\
     uint8 datatype\nuint32 count\n",
);
const IMU: &str = "std_msgs/Header header\ngeometry_msgs/Quaternion orientation\n\
    float64[9] orientation_covariance\ngeometry_msgs/Vector3 angular_velocity\n\
    float64[9] angular_velocity_covariance\ngeometry_msgs/Vector3 linear_acceleration\n\
    float64[9] linear_acceleration_covariance\n";
const ODOMETRY: &str = "std_msgs/Header header\nstring child_frame_id\n\
    geometry_msgs/PoseWithCovariance pose\ngeometry_msgs/TwistWithCovariance twist\n";
const POSE_WITH_COVARIANCE: (&str, &str) =
    ("geometry_msgs/PoseWithCovariance", "Pose pose\nfloat64[36] covariance\n");
const TWIST_WITH_COVARIANCE: (&str, &str) =
    ("geometry_msgs/TwistWithCovariance", "Twist twist\nfloat64[36] covariance\n");
const TRANSFORM_STAMPED: (&str, &str) = (
    "geometry_msgs/TransformStamped",
    "std_msgs/Header header\nstring child_frame_id\nTransform transform\n",
);
const TRANSFORM: (&str, &str) =
    ("geometry_msgs/Transform", "Vector3 translation\nQuaternion rotation\n");
const BEACON_RANGES: &str = "std_msgs/Header header\ngeometry_msgs/Pose sensor_pose_on_robot\n\
    float32 min_sensor_distance\nfloat32 max_sensor_distance\nfloat32 sensor_std_range\n\
    mrpt_msgs/SingleRangeBeaconObservation[] sensed_data\n";
const SINGLE_RANGE: (&str, &str) =
    ("mrpt_msgs/SingleRangeBeaconObservation", "float32 range\nint32 id\n");

/// The definition of a type with all that it uses.
pub(crate) fn schema_text(kind: MessageKind) -> String {
    let (own, used): (&str, &[(&str, &str)]) = match kind {
        MessageKind::LaserScan => (LASER_SCAN, &[HEADER, TIME]),
        MessageKind::PointCloud2 => (POINT_CLOUD2, &[HEADER, TIME, POINT_FIELD]),
        MessageKind::Imu => (IMU, &[HEADER, TIME, QUATERNION, VECTOR3]),
        MessageKind::Odometry => (
            ODOMETRY,
            &[
                HEADER,
                TIME,
                POSE_WITH_COVARIANCE,
                POSE,
                POINT,
                QUATERNION,
                TWIST_WITH_COVARIANCE,
                TWIST,
                VECTOR3,
            ],
        ),
        MessageKind::PoseStamped => (
            "std_msgs/Header header\ngeometry_msgs/Pose pose\n",
            &[HEADER, TIME, POSE, POINT, QUATERNION],
        ),
        MessageKind::Transforms => (
            "geometry_msgs/TransformStamped[] transforms\n",
            &[TRANSFORM_STAMPED, HEADER, TIME, TRANSFORM, VECTOR3, QUATERNION],
        ),
        MessageKind::Twist => (TWIST.1, &[VECTOR3]),
        MessageKind::TwistStamped => {
            ("std_msgs/Header header\ngeometry_msgs/Twist twist\n", &[HEADER, TIME, TWIST, VECTOR3])
        }
        MessageKind::BeaconRanges => {
            (BEACON_RANGES, &[HEADER, TIME, POSE, POINT, QUATERNION, SINGLE_RANGE])
        }
    };
    let mut text = own.to_owned();
    for (name, definition) in used {
        text.push_str(RULE);
        text.push_str("\nMSG: ");
        text.push_str(name);
        text.push('\n');
        text.push_str(definition);
    }
    text
}
