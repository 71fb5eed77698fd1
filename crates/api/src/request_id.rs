//! The id of the request that is being served.

tokio::task_local! {
    /// Where an error body finds the id. Errors are turned into bodies without the request at hand.
    static CURRENT_ID: String;
}

/// The id of the request that is being served.
pub(crate) fn request_id() -> String {
    CURRENT_ID.try_with(Clone::clone).unwrap_or_default()
}

/// Serves a request of which this is the id.
pub(crate) async fn serving<T>(id: String, serve: impl Future<Output = T>) -> T {
    CURRENT_ID.scope(id, serve).await
}
