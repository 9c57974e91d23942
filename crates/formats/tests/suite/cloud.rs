//! PLY and PCD files made by hand.

use tiepoint_formats::{
    Limits, ReadError,
    cloud::{Cloud, read_cloud},
};

use crate::make::{pcd_of, ply_of};

fn expected() -> Cloud {
    Cloud {
        points: vec![[1.0, 2.0, 3.0], [-1.5, 0.25, 1e3]],
        intensity: vec![7.0, 255.0],
        normals: Vec::new(),
    }
}

#[test]
fn every_encoding_of_a_ply_gives_the_same_points() {
    for encoding in ["ascii", "binary_little_endian", "binary_big_endian"] {
        let cloud = read_cloud(&ply_of(encoding), Limits::default()).unwrap();
        assert_eq!(cloud, expected(), "{encoding}");
    }
}

#[test]
fn every_encoding_of_a_pcd_gives_the_same_points() {
    for encoding in ["ascii", "binary", "binary_compressed"] {
        let cloud = read_cloud(&pcd_of(encoding), Limits::default()).unwrap();
        assert_eq!(cloud, expected(), "{encoding}");
    }
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    // Behind the last point lie faces; and a number in a text may lose its last digits unseen.
    for (whole, tail_bytes) in [
        (ply_of("ascii"), 12),
        (ply_of("binary_little_endian"), 5),
        (pcd_of("ascii"), 4),
        (pcd_of("binary"), 0),
        (pcd_of("binary_compressed"), 0),
    ] {
        for cut in 0..whole.len() - tail_bytes {
            let error = read_cloud(&whole[..cut], Limits::default()).unwrap_err();
            assert!(!error.to_string().is_empty() && !error.hint().is_empty());
        }
    }
}

#[test]
fn what_a_header_claims_is_checked_first() {
    let ply = b"ply\nformat binary_little_endian 1.0\nelement vertex 99999999999\n\
                property float x\nproperty float y\nproperty float z\nend_header\n";
    let error = read_cloud(ply, Limits::default()).unwrap_err();
    expect_test::expect!["the PLY is broken at byte 125: the file ends before its points do"]
        .assert_eq(&error.to_string());
    let pcd = b"VERSION 0.7\nFIELDS x y z\nSIZE 4 4 4\nTYPE F F F\nCOUNT 1 1 1\nPOINTS \
                18446744073709551615\nDATA binary\n";
    let error = read_cloud(pcd, Limits::default()).unwrap_err();
    assert!(matches!(error, ReadError::BadCloud { format: "PCD", .. }), "{error}");
    assert!(matches!(read_cloud(b"hello", Limits::default()), Err(ReadError::NotACloud)));
    let limits = Limits { record_bytes_max: 8, ..Limits::default() };
    let error = read_cloud(&pcd_of("binary_compressed"), limits).unwrap_err();
    assert!(matches!(error, ReadError::TooLarge { .. }), "{error}");
}
