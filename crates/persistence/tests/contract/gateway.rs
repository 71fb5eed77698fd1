//! A network between a store and its PostgreSQL server that can be made to fail: a TCP port on
//! loopback in front of the server's Unix socket.

use std::net::SocketAddr;
use std::path::PathBuf;

use onefold_persistence::testing::PostgresCluster;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub(crate) struct Gateway {
    address: SocketAddr,
    network: watch::Sender<Network>,
    accepting: JoinHandle<()>,
}

#[derive(Clone, Copy)]
struct Network {
    /// Whether anything is carried on.
    flows: bool,
    /// Raised when connections are lost: older ones stay, and carry nothing ever again.
    epoch: u32,
    /// Whether the connections are still there.
    up: bool,
}

impl Gateway {
    pub(crate) async fn before(cluster: &PostgresCluster) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (network, watched) = watch::channel(Network { flows: true, epoch: 0, up: true });
        let socket = cluster.folder().join(".s.PGSQL.5432");
        let accepting = tokio::spawn(accept(listener, socket, watched));
        Self { address, network, accepting }
    }

    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://postgres@{}/{database}", self.address)
    }

    /// Nothing gets through any more, and nobody is told.
    pub(crate) fn fall_silent(&self) {
        self.network.send_modify(|network| network.flows = false);
    }

    /// What was held back goes on its way.
    pub(crate) fn open(&self) {
        self.network.send_modify(|network| network.flows = true);
    }

    /// The connections of now are silent for ever, new ones work: another machine took over.
    pub(crate) fn lose_connections(&self) {
        self.network.send_modify(|network| network.epoch += 1);
    }

    /// Ends the connections there are and refuses new ones.
    pub(crate) fn refuse(&self) {
        self.network.send_modify(|network| network.up = false);
        self.accepting.abort();
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.refuse();
    }
}

async fn accept(listener: TcpListener, socket: PathBuf, network: watch::Receiver<Network>) {
    while let Ok((client, _)) = listener.accept().await {
        let (socket, network) = (socket.clone(), network.clone());
        tokio::spawn(async move {
            let Ok(server) = UnixStream::connect(socket).await else { return };
            let mut ending = network.clone();
            tokio::select! {
                () = carry(client, server, network) => {}
                _ = ending.wait_for(|network| !network.up) => {}
            }
        });
    }
}

async fn carry(client: TcpStream, server: UnixStream, network: watch::Receiver<Network>) {
    let epoch = network.borrow().epoch;
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::select! {
        () = one_way(from_client, to_server, epoch, network.clone()) => {}
        () = one_way(from_server, to_client, epoch, network) => {}
    }
}

async fn one_way(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    epoch: u32,
    mut network: watch::Receiver<Network>,
) {
    let mut buffer = [0; 8192];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        if network.wait_for(|network| network.flows && network.epoch == epoch).await.is_err()
            || to.write_all(&buffer[..length]).await.is_err()
        {
            return;
        }
    }
}
