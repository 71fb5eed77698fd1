//! What handlers need.

use std::sync::Arc;

use metrics_exporter_prometheus::PrometheusHandle;
use onefold_domain::{Clock, Identify, Randomness, Region, Store};

/// What handlers need. Cheap to clone: everything is shared.
#[derive(Clone)]
pub struct App {
    pub identify: Identify,
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub randomness: Arc<dyn Randomness>,
    /// The region in which phone numbers without a country code are read.
    pub default_region: Option<Region>,
    pub metrics: PrometheusHandle,
    pub pool: PoolGauge,
}

/// Tells how many connections to the database are open, and how many of them are idle.
pub type PoolGauge = Arc<dyn Fn() -> (u32, u32) + Send + Sync>;
