//! LZF, the compression of PCD files.
//!
//! Invariant: no more than the claimed bytes come out, and a reference never leaves what is out.
//! Source: Marc Lehmann, liblzf 3.6, the format's description in `lzf_d.c`.

/// Inflates to exactly `inflated_bytes`; else says at which byte of the input it failed.
pub(super) fn inflate(stored: &[u8], inflated_bytes: usize) -> Result<Vec<u8>, usize> {
    let mut out: Vec<u8> = Vec::new();
    let mut at = 0;
    while at < stored.len() {
        let control = usize::from(stored[at]);
        let start = at;
        at += 1;
        if control < 32 {
            // A run of literals.
            let run = stored.get(at..at + control + 1).ok_or(start)?;
            out.extend_from_slice(run);
            at += control + 1;
        } else {
            // A reference to what is out already.
            let mut length = control >> 5;
            if length == 7 {
                length += usize::from(*stored.get(at).ok_or(start)?);
                at += 1;
            }
            let low = usize::from(*stored.get(at).ok_or(start)?);
            at += 1;
            let back = ((control & 0x1f) << 8 | low) + 1;
            let from = out.len().checked_sub(back).ok_or(start)?;
            // The reference may reach into what it makes itself.
            for index in from..from + length + 2 {
                out.push(out[index]);
            }
        }
        if out.len() > inflated_bytes {
            return Err(start);
        }
    }
    if out.len() == inflated_bytes { Ok(out) } else { Err(at) }
}
