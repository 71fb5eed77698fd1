//! The part of the configuration that decides what a customer's profile shows.

use std::path::PathBuf;

use onefold_domain::survivorship::{InvalidSurvivorship, SurvivorshipRules};
use serde::Deserialize;

/// Which statement about a customer survives.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProfileConfig {
    /// Survivorship rules that replace the shipped ones.
    pub rules_file: Option<PathBuf>,
}

/// Why the profile part cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProfileConfigError {
    #[error("configuration: `profile.rules_file` {file} cannot be read")]
    File { file: String, source: std::io::Error },
    #[error("configuration: `profile.rules_file` {file} cannot be used")]
    Rules { file: String, source: InvalidSurvivorship },
}

impl ProfileConfig {
    /// # Errors
    /// A rules file that cannot be read or used.
    pub fn rules(&self) -> Result<SurvivorshipRules, ProfileConfigError> {
        let Some(path) = &self.rules_file else { return Ok(SurvivorshipRules::shipped()) };
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|source| ProfileConfigError::File { file: file.clone(), source })?;
        SurvivorshipRules::from_toml(&text).map_err(|source| ProfileConfigError::Rules { file, source })
    }
}
