//! The demo: an organization, a task set and models that need neither GPU nor key nor hub.
