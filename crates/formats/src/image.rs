//! Grey images as cameras' raw dumps hold them: binary PGM.
//!
//! Invariant: values are as the file has them, 8 bit or 16 bit with the high byte first; a file that
//! is shorter or longer than its header says is refused.
//! Grey values in DN.
//!
//! Not here: colour, compression, and the text form of PGM.
//! Source: the netpbm manual, `pgm(5)`.

use crate::ReadError;

/// A grey image, row-major.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GreyImage {
    /// Pixels of a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// The largest value that a pixel can have, DN.
    pub value_max_dn: u16,
    /// One per pixel, row by row, DN.
    pub values_dn: Vec<u16>,
}

/// Pixels of an image at most: a frame of a gigapixel.
const PIXELS_MAX: usize = 1 << 30;

/// Reads a binary PGM (`P5`).
///
/// # Errors
/// [`ReadError::Line`] for a header or a number of bytes that does not fit.
pub fn read_pgm(bytes: &[u8]) -> Result<GreyImage, ReadError> {
    let mut header = Header { bytes, at: 0, line: 1 };
    if bytes.get(..2) != Some(b"P5") {
        return Err(header.refuse("it does not start with `P5`, as a binary PGM does"));
    }
    header.at = 2;
    let [width, height, largest] = [header.number()?, header.number()?, header.number()?];
    let value_max_dn = u16::try_from(largest).ok().filter(|largest| *largest > 0);
    let value_max_dn =
        value_max_dn.ok_or_else(|| header.refuse("the largest value is not 1 to 65535"))?;
    let pixel_count = width.checked_mul(height).filter(|count| (1..=PIXELS_MAX).contains(count));
    let pixel_count =
        pixel_count.ok_or_else(|| header.refuse("the image has no pixel, or too many"))?;
    // One blank ends the header.
    let data = bytes.get(header.at + 1..).unwrap_or_default();
    let bytes_per_pixel = if value_max_dn < 256 { 1 } else { 2 };
    if data.len() != pixel_count * bytes_per_pixel {
        let problem = format!(
            "{} bytes follow the header where {} are needed",
            data.len(),
            pixel_count * bytes_per_pixel
        );
        return Err(header.refuse(&problem));
    }
    let values_dn: Vec<u16> = match bytes_per_pixel {
        1 => data.iter().map(|byte| u16::from(*byte)).collect(),
        _ => data.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect(),
    };
    if values_dn.iter().any(|value| *value > value_max_dn) {
        return Err(header.refuse("a pixel is above the largest value of the header"));
    }
    Ok(GreyImage { width, height, value_max_dn, values_dn })
}

struct Header<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u64,
}

impl Header<'_> {
    /// The next whole number, past blanks and comments.
    fn number(&mut self) -> Result<usize, ReadError> {
        while let Some(byte) = self.bytes.get(self.at) {
            match byte {
                b'#' => {
                    let rest = &self.bytes[self.at..];
                    self.at += rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
                }
                b'\n' => {
                    self.line += 1;
                    self.at += 1;
                }
                byte if byte.is_ascii_whitespace() => self.at += 1,
                _ => break,
            }
        }
        let digits = self.bytes[self.at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let text = std::str::from_utf8(&self.bytes[self.at..self.at + digits]).unwrap_or_default();
        self.at += digits;
        text.parse().map_err(|_| self.refuse("width, height and largest value are whole numbers"))
    }

    fn refuse(&self, problem: &str) -> ReadError {
        ReadError::Line { line: self.line, column: 1, problem: problem.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_of_8_and_16_bit_are_read_with_comments_in_the_header() {
        let eight = read_pgm(b"P5\n# made by hand\n2 1\n255\n\x00\xff").unwrap();
        assert_eq!((eight.width, eight.height), (2, 1));
        assert_eq!(eight.values_dn, [0, 255]);
        let sixteen = read_pgm(b"P5 1 2 4095 \x01\x02\x0f\xff").unwrap();
        assert_eq!(sixteen.values_dn, [0x0102, 4095]);
        assert_eq!(sixteen.value_max_dn, 4095);
    }

    #[test]
    fn a_file_that_does_not_keep_its_header_is_refused() {
        for bytes in [
            b"".as_slice(),
            b"P5",
            b"P2\n1 1\n255\n0",
            b"P5\n2 1\n255\n\x00",
            b"P5\n1 1\n255\n\x00\x00",
            b"P5\n0 1\n255\n",
            b"P5\n1 1\n70000\n\x00\x00",
            b"P5\n1 1\n0\n\x00",
            b"P5\n1 1\n100\n\xff",
            b"P5\n99999999999 99999999999\n255\n\x00",
            b"P5\n99999999999999999999999 1\n255\n\x00",
            b"P5\n# no end",
        ] {
            assert!(read_pgm(bytes).is_err(), "{bytes:?}");
        }
    }
}
