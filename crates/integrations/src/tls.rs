//! With whom a connection is safe. The provider of the cryptography is given to each client: one installed
//! for the whole process would be decided by whoever comes first.

use std::sync::Arc;

use reqwest::{Client, ClientBuilder};
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};

/// The start of every HTTP client. `reqwest` has no provider of its own here, and its own `Client::new`
/// panics for want of one.
///
/// The authorities are Mozilla's, built in. Those of the machine are not asked: a slim container has none, and
/// then nothing works until somebody finds out why. The price is that they are as new as the program, and
/// that a company's own authority is not known.
///
/// # Errors
/// A provider that lacks every safe version of TLS.
pub fn client_builder() -> Result<ClientBuilder, rustls::Error> {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    trusting(roots)
}

#[expect(clippy::disallowed_methods, reason = "this is where it is given its provider")]
fn trusting(roots: RootCertStore) -> Result<ClientBuilder, rustls::Error> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Client::builder().tls_backend_preconfigured(config))
}

#[cfg(test)]
mod tests {
    use rcgen::CertifiedKey;
    use rustls::ServerConfig;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;

    use super::*;

    /// Serves one connection on this machine, with a certificate that nobody else vouches for.
    async fn server() -> (String, CertificateDer<'static>) {
        let CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let certificate = cert.der().clone();
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("https://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let Ok(mut stream) = TlsAcceptor::from(Arc::new(config)).accept(stream).await else { return };
            assert!(stream.read(&mut [0; 1024]).await.unwrap() > 0);
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nsafe").await.unwrap();
        });
        (address, certificate)
    }

    #[tokio::test]
    async fn nothing_is_sent_to_whom_nobody_vouches_for() {
        let (address, _) = server().await;
        let client = client_builder().unwrap().build().unwrap();
        let error = client.post(address).body("secret").send().await.unwrap_err();
        assert!(error.is_connect(), "{error:?}");
        assert!(format!("{error:?}").contains("UnknownIssuer"), "{error:?}");
    }

    #[tokio::test]
    async fn whom_an_authority_vouches_for_is_spoken_to() {
        let (address, certificate) = server().await;
        let mut roots = RootCertStore::empty();
        roots.add(certificate).unwrap();
        let client = trusting(roots).unwrap().build().unwrap();
        assert_eq!(client.get(address).send().await.unwrap().text().await.unwrap(), "safe");
        assert!(webpki_roots::TLS_SERVER_ROOTS.len() > 50);
    }
}
