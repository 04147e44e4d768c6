//! What every handler and the worker share.

use crate::auth::{KeyError, Keys, SignInLimiter};
use crate::config::Config;
use crate::db::Db;
use crate::events::Hub;
use crate::handlers::runs::rights::Rights;
use crate::handlers::spa;
use crate::media::Thumbnails;
use crate::store::{Store, StoreError};
use std::path::PathBuf;
use std::sync::Arc;
use thiserror::Error;

/// Why the shared parts cannot be made.
#[derive(Debug, Error)]
pub enum StateError {
    /// The keys cannot be had.
    #[error("the keys cannot be used")]
    Keys(#[from] KeyError),
    /// The object store cannot be used.
    #[error("the object store cannot be used")]
    Store(#[from] StoreError),
}

/// What every handler and the worker share; cheap to clone.
#[derive(Clone)]
pub struct AppState {
    /// The settings.
    pub config: Arc<Config>,
    /// The database.
    pub db: Db,
    /// Keys that verify and sign tokens, and seal secrets.
    pub keys: Arc<Keys>,
    /// Big objects.
    pub store: Store,
    /// Makes small pictures.
    pub thumbnails: Thumbnails,
    /// Live messages.
    pub events: Hub,
    /// How often an address may try to sign in.
    pub sign_in: Arc<SignInLimiter>,
    /// Who was seen to have the right to follow what.
    pub rights: Arc<Rights>,
    /// The folder with the built pages.
    pub spa: Option<Arc<PathBuf>>,
}

impl AppState {
    /// The shared parts on a database.
    ///
    /// # Errors
    /// [`StateError`] when keys or folders cannot be used.
    pub fn new(config: Arc<Config>, db: Db) -> Result<Self, StateError> {
        Ok(Self {
            keys: Arc::new(Keys::load(&config)?),
            store: Store::local(&config.object_dir())?,
            thumbnails: Thumbnails::default(),
            events: Hub::start(db.clone()),
            sign_in: Arc::new(SignInLimiter::new(
                config.auth.sign_in_limit,
                config.auth.account_limit,
            )),
            rights: Arc::default(),
            spa: spa::folder(config.server.spa_dir.as_ref()).map(Arc::new),
            config,
            db,
        })
    }
}
