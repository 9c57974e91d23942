//! Prints the points of a PLY or PCD file as `f64`, little endian: x, y, z, then the intensity if
//! there is one, point by point. To set beside other readers, see `independent_cloud.py`.
#![expect(clippy::disallowed_methods, reason = "room: example disk, arguments, stdout")]

use std::{error::Error, io::Write};

use tiepoint_formats::{Limits, cloud::read_cloud};

fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args().nth(1).ok_or("usage: dump_cloud FILE")?;
    let cloud = read_cloud(&std::fs::read(&file)?, Limits::default())?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for (index, point) in cloud.points.iter().enumerate() {
        for value in point.iter().chain(cloud.intensity.get(index)) {
            out.write_all(&value.to_le_bytes())?;
        }
    }
    Ok(out.flush()?)
}
