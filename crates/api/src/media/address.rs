//! Signed addresses of media: short-lived, good for one medium of one organization and one purpose.

use crate::auth::SealingKey;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use std::time::Duration;
use uuid::Uuid;

/// What an address is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// To show it.
    View,
    /// To show a small picture of it.
    Thumbnail,
    /// To save it.
    Download,
}

impl Purpose {
    /// As it stands in an address.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Thumbnail => "thumbnail",
            Self::Download => "download",
        }
    }
}

/// What an address carries beside the path.
#[derive(Clone, Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Signed {
    /// What it is for.
    #[serde(rename = "for")]
    purpose: Purpose,
    /// Seconds since 1970 when it stops working.
    expires: i64,
    /// Of all of the address.
    signature: String,
}

impl Signed {
    /// Seconds since 1970 when it stops working.
    pub const fn expires(&self) -> i64 {
        self.expires
    }
}

/// A medium of an organization.
#[derive(Clone, Copy, Debug)]
pub struct Address<'a> {
    /// The organization.
    pub organization: Uuid,
    /// Hex SHA-256.
    pub sha256: &'a str,
}

impl Address<'_> {
    fn message(&self, purpose: Purpose, expires: i64) -> String {
        let Self { organization, sha256 } = self;
        format!("media/{organization}/{sha256}/{}/{expires}", purpose.as_str())
    }

    /// The address, relative to the server. It works for one to two lifetimes: its end is a round
    /// number, so that the same address is given out for a while and a browser fetches once.
    pub fn signed(
        &self,
        key: &SealingKey,
        purpose: Purpose,
        lifetime: Duration,
        now: DateTime<Utc>,
    ) -> String {
        let lifetime = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX / 4).max(1);
        let expires = (now.timestamp() / lifetime + 2) * lifetime;
        let signature = key.sign(&self.message(purpose, expires));
        let Self { organization, sha256 } = self;
        let purpose = purpose.as_str();
        format!("/media/{organization}/{sha256}?for={purpose}&expires={expires}&signature={signature}")
    }

    /// What the address is for, when it was signed here and still works.
    pub fn verify(&self, key: &SealingKey, signed: &Signed, now: DateTime<Utc>) -> Option<Purpose> {
        let message = self.message(signed.purpose, signed.expires);
        let good = key.verifies(&message, &signed.signature) && signed.expires >= now.timestamp();
        good.then_some(signed.purpose)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFETIME: Duration = Duration::from_secs(900);

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn parts(url: &str) -> Signed {
        let query = url.split_once('?').unwrap().1;
        actix_web::web::Query::<Signed>::from_query(query)
            .unwrap()
            .into_inner()
    }

    #[test]
    fn an_address_is_good_for_what_it_says_alone() {
        let key = SealingKey::from_hex(&"ab".repeat(32)).unwrap();
        let (ours, hash, other) = (Uuid::from_u128(1), "ab".repeat(32), "cd".repeat(32));
        let address = Address {
            organization: ours,
            sha256: &hash,
        };
        let signed = parts(&address.signed(&key, Purpose::View, LIFETIME, at(1000)));
        assert_eq!(address.verify(&key, &signed, at(1000)), Some(Purpose::View));
        assert_eq!(address.verify(&key, &signed, at(2700)), Some(Purpose::View));
        assert_eq!(address.verify(&key, &signed, at(2701)), None);
        for (organization, sha256) in [(Uuid::from_u128(2), &hash), (ours, &other)] {
            assert_eq!(
                Address { organization, sha256 }.verify(&key, &signed, at(1000)),
                None
            );
        }
        for changed in [
            Signed {
                purpose: Purpose::Download,
                ..signed.clone()
            },
            Signed {
                expires: signed.expires + 1,
                ..signed.clone()
            },
            Signed {
                signature: String::new(),
                ..signed.clone()
            },
        ] {
            assert_eq!(address.verify(&key, &changed, at(1000)), None, "{changed:?}");
        }
    }

    #[test]
    fn an_address_stays_the_same_for_a_while() {
        let key = SealingKey::from_hex(&"ab".repeat(32)).unwrap();
        let address = Address {
            organization: Uuid::nil(),
            sha256: "00",
        };
        let url = |now| address.signed(&key, Purpose::View, LIFETIME, at(now));
        assert_eq!(url(900), url(1799));
        assert_ne!(url(1799), url(1800));
    }
}
