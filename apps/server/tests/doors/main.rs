//! Who and what gets into a server that runs: tokens, packed bodies, private addresses.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod base_urls;
mod machine;
mod packed;
mod tokens;
