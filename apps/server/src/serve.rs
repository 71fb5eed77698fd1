//! `onefold-server serve`: opens the database, lets in whom the configuration means, serves, stops when told.

use std::io::Write;
use std::net::{SocketAddr, TcpListener};

use anyhow::{Context, ensure};
use onefold_runtime::{Signals, init_logs};
use onefold_service::token::{Abilities, NewToken, PlainToken, TokenName};
use onefold_service::tokens::Tokens;

use crate::config::Config;
use crate::{assemble, inside};

pub(crate) async fn run(config: Config) -> anyhow::Result<()> {
    init_logs(&config.log)?;
    // Bound before the database is opened: an occupied port is the commonest mistake.
    let address = config.server.address();
    let listener = TcpListener::bind(address).with_context(|| format!("cannot listen on {address}"))?;
    let store = assemble::store(&config).await?;
    let syncing = assemble::syncing(&config, &store)?;
    let app = assemble::app(&config, &store, &syncing)?;
    let first = let_in(&config, &app.tokens).await?;
    let bound = listener.local_addr()?;
    let signals = Signals::listen()?;
    let (imports, audit, idempotency) = (app.imports.clone(), app.audit.clone(), app.idempotency.clone());
    let server = onefold_api::serve(app, listener, &config.server)?;
    let jobs = inside::start(&config, &syncing);
    announce(&config, bound, first.as_ref());
    syncing.tell_unconfigured();
    // Dropped at the end: what an import did not finish is taken up at the next start, or by another server.
    let importing = tokio::spawn(async move { imports.work().await });
    // Dropped at the end: what is not sealed by then is sealed at the next start, or by another server.
    let sealing = tokio::spawn(async move { audit.work().await });
    let forgetting = tokio::spawn(async move { idempotency.work().await });

    let handle = server.handle();
    tokio::spawn(async move {
        signals.stop_requested().await;
        handle.stop(true).await;
    });
    server.await.context("the server failed")?;
    jobs.finish().await;
    importing.abort();
    sealing.abort();
    forgetting.abort();
    store.close().await?;
    tracing::info!("stopped");
    Ok(())
}

/// Sees to it that somebody can call at all: on this machine with a first token, elsewhere with one that was
/// made on purpose. A token that is printed where a service manager keeps it would be no secret.
async fn let_in(config: &Config, tokens: &Tokens) -> anyhow::Result<Option<PlainToken>> {
    let exposure = config.server.exposure();
    if exposure.loopback {
        let name = TokenName::parse("first start")?;
        let new = NewToken { name, abilities: Abilities::everything(), user: None, expires_at: None };
        return Ok(tokens.create_first(&new).await?);
    }
    ensure!(
        exposure.identify_without_token || tokens.exist().await?,
        "`server.host` = {} can be reached from other machines and there is no token that they could show: make \
         one with `onefold-server token create --name admin --ability '*'`, listen on 127.0.0.1, or say \
         `server.identify_without_token = true` if everybody may call /identify",
        config.server.host
    );
    Ok(None)
}

/// For the person who started it. Whoever reads the output may have gone already, and that is no reason not to
/// serve.
fn announce(config: &Config, bound: SocketAddr, first: Option<&PlainToken>) {
    let mut lines = format!(
        "Onefold serves on http://{bound}  (docs: /docs, database: {})\n\
         Try:\n  curl -s http://{bound}/identify -H 'Content-Type: application/json' \\\n    \
         -d '{{\"email\":\"lorraine@hillvalley.edu\",\"phoneNumber\":\"123456\"}}'\n",
        config.database.url
    );
    if let Some(token) = first {
        // Past the log, which is kept.
        lines += &format!(
            "Everything else needs a token. This one permits all and is shown this once:\n  {}\n",
            token.expose()
        );
    }
    let _ = std::io::stdout().write_all(lines.as_bytes());
    tracing::info!(address = %bound, database = %config.database.url, "serving");
}
