//! The keys of this installation: which verify and sign access tokens, and which seal secrets.

use super::{Identity, jwt, seal::SealingKey};
use crate::config::{AuthConfig, Config};
use crate::error::AppResult;
use jsonwebtoken::{DecodingKey, EncodingKey};
use p256::SecretKey;
use p256::pkcs8::{DecodePrivateKey, EncodePrivateKey, LineEnding};
use sha2::{Digest, Sha256};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why the keys cannot be had.
#[derive(Debug, Error)]
pub enum KeyError {
    /// A key file cannot be read or written.
    #[error("the key file `{path}` cannot be used")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A key is not what it should be.
    #[error("{0}")]
    Bad(String),
}

/// What signs the embedded tokens.
pub(crate) struct Signer {
    pub(crate) key: EncodingKey,
    pub(crate) kid: String,
    /// The public half, as a JWK.
    pub(crate) jwk: serde_json::Value,
}

/// The keys of this installation.
pub struct Keys {
    verifier: jwt::Verifier,
    pub(crate) signer: Option<Signer>,
    /// Seals secrets and signs addresses.
    pub sealing: SealingKey,
    /// The `iss` of the embedded tokens, or the project's.
    pub issuer: String,
}

impl Keys {
    /// Reads the keys, and makes those that are missing.
    ///
    /// # Errors
    /// [`KeyError`] when a key file or a setting cannot be used.
    pub fn load(config: &Config) -> Result<Self, KeyError> {
        let sealing = load_sealing(&config.auth, &config.data_dir())?;
        if let Some(project) = &config.auth.supabase_url {
            let issuer = format!("{}/auth/v1", project.trim_end_matches('/'));
            let verifier =
                jwt::Verifier::hosted(&issuer, &config.auth).map_err(|e| KeyError::Bad(e.to_string()))?;
            return Ok(Self {
                verifier,
                signer: None,
                sealing,
                issuer,
            });
        }
        let issuer = format!("{}/auth/v1", public_url(config));
        let secret = load_signing(&config.data_dir().join("auth.key"))?;
        let (signer, decoding) = signer(&secret)?;
        let verifier = jwt::Verifier::embedded(&issuer, &signer.kid, decoding);
        Ok(Self {
            verifier,
            signer: Some(signer),
            sealing,
            issuer,
        })
    }

    /// Whose access token this is.
    ///
    /// # Errors
    /// 401 when it is forged, stale or meant for somebody else.
    pub async fn verify(&self, token: &str) -> AppResult<Identity> {
        self.verifier.verify(token).await
    }

    /// The public half of the embedded signing key, as a JWK.
    pub fn public_jwk(&self) -> Option<serde_json::Value> {
        self.signer.as_ref().map(|s| s.jwk.clone())
    }

    /// Whether accounts are kept in our own database.
    pub fn is_embedded(&self) -> bool {
        self.signer.is_some()
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys")
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

/// The address under which browsers reach the server.
pub fn public_url(config: &Config) -> String {
    match &config.server.public_url {
        Some(url) => url.trim_end_matches('/').to_owned(),
        None => format!("http://{}", config.server.listen),
    }
}

fn signer(secret: &SecretKey) -> Result<(Signer, DecodingKey), KeyError> {
    let bad = |e: &dyn std::fmt::Display| KeyError::Bad(format!("the signing key cannot be used: {e}"));
    let pem = secret.to_pkcs8_pem(LineEnding::LF).map_err(|e| bad(&e))?;
    let key = EncodingKey::from_ec_pem(pem.as_bytes()).map_err(|e| bad(&e))?;
    let mut jwk: serde_json::Value =
        serde_json::from_str(&secret.public_key().to_jwk_string()).map_err(|e| bad(&e))?;
    let kid = hex::encode(&Sha256::digest(jwk.to_string().as_bytes())[..16]);
    jwk["alg"] = "ES256".into();
    jwk["use"] = "sig".into();
    jwk["key_ops"] = serde_json::json!(["verify"]);
    jwk["ext"] = true.into();
    jwk["kid"] = kid.clone().into();
    let text = |name: &str| jwk[name].as_str().unwrap_or_default().to_owned();
    let decoding = DecodingKey::from_ec_components(&text("x"), &text("y")).map_err(|e| bad(&e))?;
    Ok((Signer { key, kid, jwk }, decoding))
}

fn load_signing(path: &Path) -> Result<SecretKey, KeyError> {
    let text = read_or_make(path, || {
        let key = random_secret_key();
        key.to_pkcs8_pem(LineEnding::LF)
            .map(|pem| pem.to_string())
            .map_err(|e| KeyError::Bad(e.to_string()))
    })?;
    SecretKey::from_pkcs8_pem(&text)
        .map_err(|e| KeyError::Bad(format!("`{}` is no P-256 key in PKCS#8 PEM: {e}", path.display())))
}

/// Nearly every 32 bytes are a valid scalar.
fn random_secret_key() -> SecretKey {
    loop {
        if let Ok(key) = SecretKey::from_slice(&rand::random::<[u8; 32]>()) {
            return key;
        }
    }
}

fn load_sealing(config: &AuthConfig, data_dir: &Path) -> Result<SealingKey, KeyError> {
    if let Some(key) = &config.secret_key {
        return SealingKey::from_hex(key.expose())
            .ok_or_else(|| KeyError::Bad("`LMMS_SECRET_KEY` is no key; expected 64 hex digits".to_owned()));
    }
    let path = data_dir.join("secret.key");
    let text = read_or_make(&path, || Ok(hex::encode(rand::random::<[u8; 32]>())))?;
    SealingKey::from_hex(text.trim()).ok_or_else(|| {
        KeyError::Bad(format!(
            "`{}` holds no key; expected 64 hex digits",
            path.display()
        ))
    })
}

/// The file's text; when it does not exist, it is made, readable by its owner alone.
fn read_or_make(path: &Path, make: impl FnOnce() -> Result<String, KeyError>) -> Result<String, KeyError> {
    let refuse = |source| KeyError::File {
        path: path.to_owned(),
        source,
    };
    match fs::read_to_string(path) {
        Ok(text) => return Ok(text),
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        Err(e) => return Err(refuse(e)),
    }
    let text = make()?;
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(refuse)?;
    let temporary = path.with_extension(format!("new.{}", std::process::id()));
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&temporary)
        .map_err(refuse)?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(refuse)?;
    // Two processes may start at once: the first link wins, both read it.
    let linked = fs::hard_link(&temporary, path);
    fs::remove_file(&temporary).map_err(refuse)?;
    match linked {
        Ok(()) => Ok(text),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => fs::read_to_string(path).map_err(refuse),
        Err(e) => Err(refuse(e)),
    }
}
