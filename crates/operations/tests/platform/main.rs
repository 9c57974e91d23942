//! Laws of a whole lake: what crashes, faults, other writers and years may do to it. One binary, since it links the
//! table engine.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "room: disk, clock, environment: these tests damage lakes, and stop at what they do not expect"
)]

mod backwards;
mod crash;
mod disk;
mod growth;
mod keeping;
mod opening;
mod registering;
mod simulate;
mod speed;
mod turns;
mod yard;
