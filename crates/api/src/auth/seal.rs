//! Sealing secrets and signing addresses with the installation's own key.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

const NONCE: usize = 24;

/// The installation's key.
#[derive(Clone)]
pub struct SealingKey([u8; 32]);

impl SealingKey {
    /// A key from 64 hex digits.
    pub fn from_hex(text: &str) -> Option<Self> {
        let bytes = hex::decode(text).ok()?;
        Some(Self(bytes.try_into().ok()?))
    }

    /// Seals `plain` for `context`: it opens only for the same context.
    pub fn seal(&self, context: &str, plain: &[u8]) -> Vec<u8> {
        let nonce: [u8; NONCE] = rand::random();
        let payload = Payload {
            msg: plain,
            aad: context.as_bytes(),
        };
        let sealed = self.cipher().encrypt(&XNonce::from(nonce), payload);
        let sealed = sealed.expect("a message shorter than 256 GB can always be sealed");
        [nonce.as_slice(), &sealed].concat()
    }

    /// What was sealed for `context`; `None` when it was not, or not with this key.
    pub fn open(&self, context: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, body) = sealed.split_first_chunk::<NONCE>()?;
        let payload = Payload {
            msg: body,
            aad: context.as_bytes(),
        };
        self.cipher().decrypt(&XNonce::from(*nonce), payload).ok()
    }

    /// A signature of `message`, in hex.
    pub fn sign(&self, message: &str) -> String {
        hex::encode(self.mac(message).finalize().into_bytes())
    }

    /// Whether `signature` is that of `message`.
    pub fn verifies(&self, message: &str, signature: &str) -> bool {
        bool::from(self.sign(message).as_bytes().ct_eq(signature.as_bytes()))
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&self.0.into())
    }

    /// Keyed apart from the cipher by its prefix.
    fn mac(&self, message: &str) -> Hmac<Sha256> {
        let mut mac =
            <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        mac.update(b"lmms-dash signature\0");
        mac.update(message.as_bytes());
        mac
    }
}

impl std::fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealingKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_for_its_context_alone() {
        let key = SealingKey::from_hex(&"ab".repeat(32)).unwrap();
        let sealed = key.seal("org/HF_TOKEN", b"hf_x");
        assert_eq!(key.open("org/HF_TOKEN", &sealed).unwrap(), b"hf_x");
        assert_eq!(key.open("other/HF_TOKEN", &sealed), None);
        assert_eq!(key.open("org/HF_TOKEN", &sealed[..20]), None);
        let other = SealingKey::from_hex(&"cd".repeat(32)).unwrap();
        assert_eq!(other.open("org/HF_TOKEN", &sealed), None);
    }

    #[test]
    fn signatures_hold_for_their_message() {
        let key = SealingKey::from_hex(&"ab".repeat(32)).unwrap();
        let signature = key.sign("artifact/1/9");
        assert!(key.verifies("artifact/1/9", &signature));
        assert!(!key.verifies("artifact/2/9", &signature));
        assert!(!key.verifies("artifact/1/9", ""));
    }
}
