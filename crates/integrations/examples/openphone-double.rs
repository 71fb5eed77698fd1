//! A DOUBLE of OpenPhone for demonstrations. It is not OpenPhone.
//!
//! `cargo run -p onefold-integrations --features testing --example openphone-double -- 127.0.0.1:8098`
//!
//! It begins without contacts and with two custom fields, `about` (a text) and `groups` (several choices). What
//! people do in the application is done with the calls of the contract, such as
//! `curl 'localhost:8098/v1/contacts?maxResults=50' -H 'Authorization: double-key'`.

use std::error::Error;
use std::net::SocketAddr;

use onefold_integrations::testing::openphone::OpenPhoneDouble;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

const USAGE: &str = "openphone-double [ADDRESS], by default 127.0.0.1:8098";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = address(std::env::args().skip(1))?;
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).init();
    let mut terminated = signal(SignalKind::terminate())?;
    let double = OpenPhoneDouble::listen(address).await;
    double.define("about", "string");
    double.define("groups", "multi-select");
    println!("THIS IS A DOUBLE, a stand-in. It is NOT OpenPhone.");
    println!("OPENPHONE_BASE_URL={}", double.base_url());
    println!("OPENPHONE_API_KEY={}", OpenPhoneDouble::API_KEY);
    tokio::select! {
        _ = terminated.recv() => {}
        interrupted = tokio::signal::ctrl_c() => interrupted?,
    }
    println!("The double stops. It kept nothing.");
    Ok(())
}

/// Loopback only: whoever reaches it can change everything, and its key is printed in the source.
fn address(mut given: impl Iterator<Item = String>) -> Result<SocketAddr, Box<dyn Error>> {
    let address: SocketAddr =
        given.next().map_or(Ok(([127, 0, 0, 1], 8098).into()), |text| text.parse()).map_err(|_| USAGE)?;
    if given.next().is_some() {
        return Err(USAGE.into());
    }
    if !address.ip().is_loopback() {
        return Err("the double listens on this machine only, such as on 127.0.0.1:8098".into());
    }
    Ok(address)
}
