//! What every handler and the worker share.

use crate::auth::Keys;
use crate::config::Config;
use crate::db::Db;
use crate::events::Hub;
use crate::store::Store;
use std::sync::Arc;

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
    /// Live messages.
    pub events: Hub,
}
