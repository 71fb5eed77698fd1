//! A DOUBLE of OpenPhone for demonstrations. It is not OpenPhone.
//!
//! `cargo run -p onefold-integrations --features testing --example openphone-double -- 127.0.0.1:8098`
//!
//! It begins without contacts and with two custom fields, `about` (a text) and `groups` (several choices). What
//! people do in the application is done with the calls of the contract, such as
//! `curl 'localhost:8098/v1/contacts?maxResults=50' -H 'Authorization: double-key'`. A change replaces, so it has to
//! say all of the contact.
//!
//! A line on the standard input is the address of a webhook, such as `http://127.0.0.1:3000/webhooks/openphone`. What
//! happens from then on is reported there.

use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use onefold_integrations::testing::openphone::{EventSignature, OpenPhoneDouble, Subscription};
use onefold_service::clock::{Clock, SystemClock};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tracing_subscriber::EnvFilter;

const USAGE: &str = "openphone-double [ADDRESS], by default 127.0.0.1:8098";

/// What reports are signed with.
const SIGNING_KEY: &[u8] = b"double-signing-key";

/// How long a report waits to be sent, or to be sent again.
const PAUSE: Duration = Duration::from_millis(200);

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
    println!("OPENPHONE_WEBHOOK_KEYS={}", STANDARD.encode(SIGNING_KEY));
    let webhooks = webhooks();
    tokio::select! {
        () = report(&double, &webhooks) => {}
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

/// The address that was told last. A thread of its own, since a read of the standard input cannot be given up, and
/// the runtime would wait for it.
fn webhooks() -> watch::Receiver<Option<String>> {
    let (tell, told) = watch::channel(None);
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            tell.send_replace(Some(line.trim().to_owned()));
        }
    });
    told
}

/// Reports what happens, for ever.
async fn report(double: &OpenPhoneDouble, webhooks: &watch::Receiver<Option<String>>) {
    loop {
        let url = webhooks.borrow().clone();
        if let Some(url) = url {
            // Anew each time: whoever is told does not believe what was signed long ago.
            let sent_at = Some(SystemClock.now().timestamp());
            double.subscribe(Subscription {
                url,
                signature: EventSignature::Standard(SIGNING_KEY.into()),
                sent_at,
            });
        }
        tokio::time::sleep(PAUSE).await;
        for delivery in double.deliver().await {
            tracing::info!(id = delivery.id, status = delivery.status, "DOUBLE: a report");
        }
    }
}
