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

const NAV_SAT_FIX: &str = "uint8 COVARIANCE_TYPE_UNKNOWN=0\nuint8 COVARIANCE_TYPE_APPROXIMATED=1\n\
    uint8 COVARIANCE_TYPE_DIAGONAL_KNOWN=2\nuint8 COVARIANCE_TYPE_KNOWN=3\n\
    std_msgs/Header header\nsensor_msgs/NavSatStatus status\nfloat64 latitude\n\
    float64 longitude\nfloat64 altitude\nfloat64[9] position_covariance\n\
    uint8 position_covariance_type\n";
const NAV_SAT_STATUS: (&str, &str) = (
    "sensor_msgs/NavSatStatus",
    "int8 STATUS_NO_FIX=-1\nint8 STATUS_FIX=0\nint8 STATUS_SBAS_FIX=1\nint8 STATUS_GBAS_FIX=2\n\
     uint16 SERVICE_GPS=1\nuint16 SERVICE_GLONASS=2\nuint16 SERVICE_COMPASS=4\n\
     uint16 SERVICE_GALILEO=8\nint8 status\nuint16 service\n",
);
const MAGNETIC_FIELD: &str = "std_msgs/Header header\ngeometry_msgs/Vector3 magnetic_field\n\
    float64[9] magnetic_field_covariance\n";
const JOINT_STATE: &str = "std_msgs/Header header\nstring[] name\nfloat64[] position\n\
    float64[] velocity\nfloat64[] effort\n";
const CAMERA_INFO: &str = "std_msgs/Header header\nuint32 height\nuint32 width\n\
    string distortion_model\nfloat64[] d\nfloat64[9] k\nfloat64[9] r\nfloat64[12] p\n\
    uint32 binning_x\nuint32 binning_y\nRegionOfInterest roi\n";
const REGION: (&str, &str) = (
    "sensor_msgs/RegionOfInterest",
    "uint32 x_offset\nuint32 y_offset\nuint32 height\nuint32 width\nbool do_rectify\n",
);
const IMAGE: &str = "std_msgs/Header header\nuint32 height\nuint32 width\nstring encoding\n\
    uint8 is_bigendian\nuint32 step\nuint8[] data\n";
const COMPRESSED_IMAGE: &str = "std_msgs/Header header\nstring format\nuint8[] data\n";
const RANGE: &str = "uint8 ULTRASOUND=0\nuint8 INFRARED=1\nstd_msgs/Header header\n\
    uint8 radiation_type\nfloat32 field_of_view\nfloat32 min_range\nfloat32 max_range\n\
    float32 range\n";
const POSE_STAMPED: (&str, &str) =
    ("geometry_msgs/PoseStamped", "std_msgs/Header header\nPose pose\n");
const GRID: &str = "std_msgs/Header header\nMapMetaData info\nint8[] data\n";
const MAP_META_DATA: (&str, &str) = (
    "nav_msgs/MapMetaData",
    "builtin_interfaces/Time map_load_time\nfloat32 resolution\nuint32 width\nuint32 height\n\
     geometry_msgs/Pose origin\n",
);

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
        MessageKind::PoseWithCovarianceStamped => (
            "std_msgs/Header header\ngeometry_msgs/PoseWithCovariance pose\n",
            &[HEADER, TIME, POSE_WITH_COVARIANCE, POSE, POINT, QUATERNION],
        ),
        MessageKind::NavSatFix => (NAV_SAT_FIX, &[HEADER, TIME, NAV_SAT_STATUS]),
        MessageKind::MagneticField => (MAGNETIC_FIELD, &[HEADER, TIME, VECTOR3]),
        MessageKind::JointState => (JOINT_STATE, &[HEADER, TIME]),
        MessageKind::CameraInfo => (CAMERA_INFO, &[HEADER, TIME, REGION]),
        MessageKind::Image => (IMAGE, &[HEADER, TIME]),
        MessageKind::CompressedImage => (COMPRESSED_IMAGE, &[HEADER, TIME]),
        MessageKind::Range => (RANGE, &[HEADER, TIME]),
        MessageKind::Path => (
            "std_msgs/Header header\ngeometry_msgs/PoseStamped[] poses\n",
            &[HEADER, TIME, POSE_STAMPED, POSE, POINT, QUATERNION],
        ),
        MessageKind::OccupancyGrid => {
            (GRID, &[HEADER, TIME, MAP_META_DATA, POSE, POINT, QUATERNION])
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
