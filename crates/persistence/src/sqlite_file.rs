//! The file of an SQLite database: who may read it, and that it stays the same one.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::str::FromStr;

use sea_orm::DatabaseConnection;
use sea_orm::sqlx::sqlite::SqliteConnectOptions;

use crate::database_url::DatabaseUrl;
use crate::error::ConnectError;

/// Creates what is missing for nobody but this user: customers' data is nobody else's. What is there keeps the
/// rights that somebody gave it. SQLite gives the files beside it (`-wal`, `-shm`) those of the database.
pub(crate) fn prepare(url: &DatabaseUrl) -> Result<(), ConnectError> {
    // As it is opened later, with what the address encodes. An address that cannot be read is told then.
    let Ok(options) = SqliteConnectOptions::from_str(url.expose()) else { return Ok(()) };
    let file = options.get_filename();
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        create_folder(folder)
            .map_err(|source| ConnectError::Folder { folder: folder.display().to_string(), source })?;
    }
    if url.creates() {
        // SQLite takes an empty file for a new database. What keeps it from being made is told when it is opened.
        let _ = create_file(file);
    }
    Ok(())
}

/// From now on the pool opens this file and creates none: a connection that is replaced after somebody moved the
/// database away would otherwise go on in an empty one.
pub(crate) fn only_this_one(pool: &DatabaseConnection) {
    let pool = pool.get_sqlite_connection_pool();
    let options = pool.connect_options();
    pool.set_connect_options((*options).clone().create_if_missing(false));
}

#[cfg(unix)]
fn create_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn create_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).create(folder)
}

fn create_file(file: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(file) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}
