//! TLS with rustls and ring, and the certificates that are trusted.

use super::failure::EndpointFailure;
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use rustls_native_certs::{CertificateResult, load_native_certs};
use std::{env, sync::Arc};

/// The variables that replace the system's certificates, as in OpenSSL.
const VARIABLES: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// A configuration that trusts the certificates in [`VARIABLES`], otherwise the system's, or Mozilla's list
/// if the system has none.
///
/// # Errors
///
/// If [`VARIABLES`] are set but contain no readable certificate. In that case, Mozilla's list isn't used.
pub(super) fn trusting_the_system() -> Result<ClientConfig, EndpointFailure> {
    let mut roots = RootCertStore::empty();
    let CertificateResult { certs, errors, .. } = load_native_certs();
    roots.add_parsable_certificates(certs);
    if roots.is_empty() {
        let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
        if VARIABLES.into_iter().any(is_set) {
            let why = errors.first().map(|error| format!(" ({error})")).unwrap_or_default();
            return Err(EndpointFailure::unprepared(format!(
                "{} name no certificate that can be read{why}; correct or unset them",
                VARIABLES.join(" and ")
            )));
        }
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    configuration(roots)
}

/// A configuration for unencrypted connections, which trusts no certificate.
pub(super) fn trusting_nobody() -> Result<ClientConfig, EndpointFailure> {
    configuration(RootCertStore::empty())
}

fn configuration(roots: RootCertStore) -> Result<ClientConfig, EndpointFailure> {
    let provider = Arc::new(ring::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(EndpointFailure::unprepared)?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
