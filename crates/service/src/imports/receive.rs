//! Taking a file in, piece by piece, before anything is done about it: once the caller has an answer, the
//! whole file is stored and no crash can lose it.

use sha2::{Digest, Sha256};

use super::Imports;
use crate::environment::Environment;
use crate::error::RecordError;
use crate::file::{ImportFormat, Position};
use crate::import::{Import, ImportCounts, ImportOptions, ImportStatus};
use crate::trail::Change;
use onefold_domain::id::ImportId;

/// The size of the pieces in which files are kept.
pub(super) const CHUNK: usize = 256 * 1024;

/// A file that is coming in. If it is dropped before it is complete, it is given up after a while.
pub struct Receiving {
    env: Environment,
    import: Import,
    hash: Sha256,
    pending: Vec<u8>,
    chunks: u32,
}

impl Import {
    /// The piece of the file in which the next row begins.
    pub(super) fn piece(&self) -> u32 {
        u32::try_from(self.position.offset / CHUNK as u64).unwrap_or(u32::MAX)
    }
}

impl Imports {
    /// Begins to take a file in.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn receive(
        &self,
        format: ImportFormat,
        options: ImportOptions,
    ) -> Result<Receiving, RecordError> {
        let env = self.env.clone();
        let at = env.clock.now();
        let import = Import {
            id: ImportId(env.randomness.uuid(at)),
            status: ImportStatus::Receiving,
            format,
            options,
            sha256: Vec::new(),
            bytes: 0,
            position: Position::default(),
            header: None,
            counts: ImportCounts::default(),
            message: None,
            lease: None,
            created_at: at,
            started_at: None,
            updated_at: at,
            finished_at: None,
        };
        let new = &import;
        env.in_transaction(move |mut transaction| {
            let new = new.clone();
            Box::pin(async move {
                // A try whose commit was interrupted may have stored it.
                if transaction.imports().get(new.id).await?.is_none() {
                    transaction.imports().insert(&new).await?;
                }
                Ok(((), transaction))
            })
        })
        .await?;
        Ok(Receiving { env, import, hash: Sha256::new(), pending: Vec::new(), chunks: 0 })
    }
}

impl Receiving {
    /// How many bytes have come in.
    pub fn bytes(&self) -> u64 {
        self.import.bytes
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn append(&mut self, mut bytes: &[u8]) -> Result<(), RecordError> {
        self.hash.update(bytes);
        self.import.bytes += bytes.len() as u64;
        while self.pending.len() + bytes.len() >= CHUNK {
            let (now, later) = bytes.split_at(CHUNK - self.pending.len());
            self.pending.extend_from_slice(now);
            self.store().await?;
            bytes = later;
        }
        self.pending.extend_from_slice(bytes);
        Ok(())
    }

    /// The file is complete; it waits for its turn from now on.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn complete(mut self) -> Result<Import, RecordError> {
        if !self.pending.is_empty() {
            self.store().await?;
        }
        self.import.sha256 = std::mem::take(&mut self.hash).finalize().to_vec();
        self.import.status = ImportStatus::Queued;
        self.import.touch(self.env.clock.now());
        let (env, import) = (&self.env, &self.import);
        env.in_transaction(move |mut transaction| {
            let import = import.clone();
            Box::pin(async move {
                let stored = transaction.imports().get(import.id).await?;
                // Somebody may have taken it already, if an earlier try was carried out.
                if stored.is_some_and(|stored| stored.status == ImportStatus::Receiving) {
                    transaction.imports().update(&import, None).await?;
                    let received = vec![Change::import_received(&import)];
                    env.record(transaction.as_mut(), import.updated_at, received).await?;
                }
                Ok(((), transaction))
            })
        })
        .await?;
        Ok(self.import)
    }

    /// Stores what is pending as the next piece.
    async fn store(&mut self) -> Result<(), RecordError> {
        let (number, bytes) = (self.chunks, std::mem::take(&mut self.pending));
        self.import.touch(self.env.clock.now());
        let (import, bytes) = (&self.import, &bytes);
        self.env
            .in_transaction(move |mut transaction| {
                let (import, bytes) = (import.clone(), bytes.clone());
                Box::pin(async move {
                    transaction.imports().put_chunk(import.id, number, &bytes).await?;
                    transaction.imports().update(&import, None).await?;
                    Ok(((), transaction))
                })
            })
            .await?;
        self.chunks += 1;
        Ok(())
    }
}
