//! The part of the configuration that decides who is one customer. Server and worker must read it
//! alike, or they would judge the same statement differently.

use std::path::PathBuf;

use onefold_domain::phone::{InvalidPhone, Region};
use onefold_domain::policy::{InvalidPolicy, LinkPolicy};
use serde::Deserialize;

/// How values are read and what may link.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LinkingConfig {
    /// The region, as ISO 3166-1 alpha-2, in which phone numbers without a country code are read.
    pub default_region: Option<String>,
    /// A link policy that replaces the shipped one.
    pub policy_file: Option<PathBuf>,
    /// Overrides the policy's `max_contact_points`.
    pub max_contact_points: Option<usize>,
}

/// Why the linking part cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LinkingConfigError {
    #[error("configuration: `linking.default_region` must be a country code such as \"US\"")]
    Region(#[source] InvalidPhone),
    #[error("configuration: `linking.policy_file` {file} cannot be read")]
    File { file: String, source: std::io::Error },
    #[error("configuration: `linking.policy_file` {file} cannot be used")]
    Policy { file: String, source: InvalidPolicy },
    #[error("configuration: `linking.max_contact_points` must be at least 2")]
    Cap,
}

impl LinkingConfig {
    /// # Errors
    /// A text that is no country code.
    pub fn region(&self) -> Result<Option<Region>, LinkingConfigError> {
        self.default_region.as_deref().map(Region::parse).transpose().map_err(LinkingConfigError::Region)
    }

    /// # Errors
    /// A policy file that cannot be read or used.
    pub fn policy(&self) -> Result<LinkPolicy, LinkingConfigError> {
        let policy = match &self.policy_file {
            None => LinkPolicy::shipped(),
            Some(path) => {
                let file = path.display().to_string();
                let text = std::fs::read_to_string(path)
                    .map_err(|source| LinkingConfigError::File { file: file.clone(), source })?;
                LinkPolicy::from_toml(&text).map_err(|source| LinkingConfigError::Policy { file, source })?
            }
        };
        match self.max_contact_points {
            None => Ok(policy),
            Some(most) if most < 2 => Err(LinkingConfigError::Cap),
            Some(most) => Ok(policy.with_max_contact_points(most)),
        }
    }
}
