//! An operation that runs here. Whatever ends the request, a cancelled connection too, the key is given back
//! unless it was answered.

use actix_web::web::Data;
use onefold_service::idempotency::Idempotency;
use onefold_service::operation::OperationId;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tokio::time::sleep;

use crate::app::App;

pub(super) struct Held {
    app: Data<App>,
    operation: OperationId,
    prolonging: Option<AbortHandle>,
    release: bool,
}

impl Held {
    pub(super) fn new(app: Data<App>, operation: OperationId) -> Self {
        let idempotency = app.idempotency.clone();
        let prolonging = Handle::try_current()
            .ok()
            .map(|runtime| runtime.spawn(async move { renew(&idempotency, operation).await }).abort_handle());
        Self { app, operation, prolonging, release: true }
    }

    /// Leaves the key as it is: answered, or to whoever comes when the lease has run out.
    pub(super) fn keep(mut self) {
        self.release = false;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(prolonging) = &self.prolonging {
            prolonging.abort();
        }
        // When the server goes down there may be nobody left to do it; then the lease runs out.
        let (true, Ok(runtime)) = (self.release, Handle::try_current()) else { return };
        let (idempotency, operation) = (self.app.idempotency.clone(), self.operation);
        runtime.spawn(async move {
            if let Err(error) = idempotency.release(operation).await {
                tracing::warn!(error = %error, "an idempotency key is free in a minute only");
            }
        });
    }
}

/// A failure is no reason to stop: it is tried again before the lease runs out.
async fn renew(idempotency: &Idempotency, operation: OperationId) {
    loop {
        sleep(Idempotency::PROLONG_EVERY).await;
        if let Ok(false) = idempotency.renew(operation).await {
            return;
        }
    }
}
