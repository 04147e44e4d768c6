//! The embedded accounts: a small part of the Supabase Auth API against `auth.users` in our own
//! database, so that the browser and the API have one code path for both.

mod accounts;
mod error;
mod limiter;
mod links;
mod password;
mod sessions;
mod view;

pub use accounts::{Credentials, UserUpdate, checked_email, find_user, sign_in, sign_up, update_user};
pub use error::{AuthError, AuthResult};
pub use limiter::SignInLimiter;
pub use links::{ensure_first_owner, mint_link, redeem_link};
pub(crate) use sessions::session_of;
pub use sessions::{Caller, SignOut, caller, refresh, sign_out};
pub use view::{Session, User};
