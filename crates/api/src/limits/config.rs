//! How much a caller may ask for, and how long a request may take.

use serde::Deserialize;
use validator::Validate;

/// The limits of the server's configuration. 0 turns one off.
#[derive(Clone, Debug, Deserialize, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsConfig {
    /// Requests a minute with one token.
    #[validate(range(max = 10_000_000, message = "must be at most 10000000"))]
    pub token_per_minute: u32,
    /// Requests a minute from one address; never for those of this machine.
    #[validate(range(max = 10_000_000, message = "must be at most 10000000"))]
    pub address_per_minute: u32,
    /// Requests a minute with one token to `/ia/admin`, in windows that begin with their first request.
    #[validate(range(max = 10_000_000, message = "must be at most 10000000"))]
    pub admin_per_minute: u32,
    /// Tokens a minute that one address may get wrong.
    #[validate(range(max = 10_000_000, message = "must be at most 10000000"))]
    pub failed_auth_per_minute: u32,
    /// How long a request may take until its answer begins, in seconds. Files that stream are given as long as
    /// they keep coming.
    #[validate(range(max = 3_600, message = "must be at most 3600"))]
    pub request_timeout_s: u64,
    /// The largest head of a request.
    // Beyond 128 KiB actix refuses by itself, without a body.
    #[validate(range(max = 131_072, message = "must be at most 131072"))]
    pub header_bytes: usize,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            token_per_minute: 60_000,
            address_per_minute: 60_000,
            admin_per_minute: 600,
            failed_auth_per_minute: 30,
            request_timeout_s: 30,
            header_bytes: 16 * 1024,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_in_range_and_what_is_not_is_refused() {
        assert!(LimitsConfig::default().validate().is_ok());
        let large = u32::MAX;
        for config in [
            LimitsConfig { token_per_minute: large, ..LimitsConfig::default() },
            LimitsConfig { address_per_minute: large, ..LimitsConfig::default() },
            LimitsConfig { admin_per_minute: large, ..LimitsConfig::default() },
            LimitsConfig { failed_auth_per_minute: large, ..LimitsConfig::default() },
            LimitsConfig { request_timeout_s: 3_601, ..LimitsConfig::default() },
            LimitsConfig { header_bytes: 131_073, ..LimitsConfig::default() },
        ] {
            assert!(config.validate().is_err(), "{config:?}");
        }
    }
}
