//! A DOUBLE of MetaKocka for demonstrations, with invented partners. It is not MetaKocka.
//!
//! `cargo run -p onefold-integrations --features testing --example metakocka-double -- 127.0.0.1:8099 100`
//!
//! The other side is played with `curl`:
//!
//! - `curl 'localhost:8099/double/partners?limit=5'`, also `…/partners/{id}` and `…/calls`
//! - `curl -X PATCH localhost:8099/double/partners/{id} -d '{"city": "Bled", "phone": ""}'`; the fields are
//!   `name`, `contact_name`, `email`, `phone`, `street`, `city`, `post_number`, `country` and `tax_id`
//! - `curl -X DELETE localhost:8099/double/partners/{id}`
//! - `curl localhost:8099/double/trouble -d '{"trouble": "slow", "milliseconds": 3000, "call": "add_partner",
//!   "times": 2}'`; also `broken`, `over_quota` and `lost_answer`, for every call without `call`, until told
//!   otherwise without `times`; `none` ends it

use std::error::Error;
use std::net::SocketAddr;

use onefold_integrations::testing::MetaKockaDouble;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

const USAGE: &str = "metakocka-double [ADDRESS [PARTNERS]], by default 127.0.0.1:8099 100";

/// More would not fit into one answer that a connector reads.
const MOST_PARTNERS: usize = 100_000;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (address, partners) = arguments(std::env::args().skip(1))?;
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).init();
    let mut terminated = signal(SignalKind::terminate())?;
    let double = MetaKockaDouble::listen(address).await;
    double.fill(partners);
    println!("THIS IS A DOUBLE, a stand-in with {partners} invented people. It is NOT MetaKocka.");
    println!("METAKOCKA_BASE_URL={}", double.base_url());
    println!("METAKOCKA_SECRET_KEY={}", MetaKockaDouble::SECRET_KEY);
    println!("METAKOCKA_COMPANY_ID={}", MetaKockaDouble::COMPANY_ID);
    tokio::select! {
        _ = terminated.recv() => {}
        interrupted = tokio::signal::ctrl_c() => interrupted?,
    }
    println!("The double stops. It kept nothing.");
    Ok(())
}

/// Loopback only: whoever reaches it can change everything, and its key is printed in the source.
fn arguments(mut given: impl Iterator<Item = String>) -> Result<(SocketAddr, usize), Box<dyn Error>> {
    let address: SocketAddr =
        given.next().map_or(Ok(([127, 0, 0, 1], 8099).into()), |text| text.parse()).map_err(|_| USAGE)?;
    let partners: usize = given.next().map_or(Ok(100), |text| text.parse()).map_err(|_| USAGE)?;
    if given.next().is_some() || partners > MOST_PARTNERS {
        return Err(USAGE.into());
    }
    if !address.ip().is_loopback() {
        return Err("the double listens on this machine only, such as on 127.0.0.1:8099".into());
    }
    Ok((address, partners))
}
