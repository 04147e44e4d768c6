//! Encryption towards a database elsewhere.
//!
//! A server's certificate is always checked, against the system's roots and the file of the setting;
//! a server that offers none is spoken to openly unless the address says `sslmode=require`.

use super::Error;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::path::Path;
use std::sync::{Arc, OnceLock};
use tokio_postgres_rustls::MakeRustlsConnect;

static ROOTS: OnceLock<Arc<RootCertStore>> = OnceLock::new();

/// Adds the authority in `file` to those that are trusted; before the first connection.
///
/// # Errors
/// [`Error::Address`] when the file holds no certificate.
pub fn trust(file: &Path) -> Result<(), Error> {
    let refuse = |why: String| Error::Address(format!("`LMMS_DATABASE_CA` is `{}`, {why}", file.display()));
    let certificates: Vec<CertificateDer<'_>> = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect)
        .map_err(|e| {
            refuse(format!(
                "which cannot be read ({e}); expected certificates in PEM"
            ))
        })?;
    if certificates.is_empty() {
        return Err(refuse(
            "which holds no certificate; expected some in PEM".to_owned(),
        ));
    }
    let mut roots = system_roots();
    roots.add_parsable_certificates(certificates);
    // A second call keeps the first one's roots: there is one database per process.
    let _ = ROOTS.set(Arc::new(roots));
    Ok(())
}

/// What `tokio_postgres::connect` takes.
pub fn connector() -> MakeRustlsConnect {
    let roots = ROOTS.get_or_init(|| Arc::new(system_roots()));
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring supports the default protocol versions")
        .with_root_certificates(Arc::clone(roots))
        .with_no_client_auth();
    MakeRustlsConnect::new(config)
}

fn system_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}
