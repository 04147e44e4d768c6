//! The embedded accounts: a small part of the Supabase Auth API against `auth.users` in our own database.
