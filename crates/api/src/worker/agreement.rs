//! How much runs agree about documents, counted again after answers have come or gone.

use crate::db::{self, Conn, Db, agreement};

/// Counts every benchmark whose answers have changed, each in a transaction of its own.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn refresh(db: &Db) -> Result<(), db::Error> {
    let stale = db
        .service(async |conn: &mut Conn| Ok::<_, db::Error>(agreement::outdated(conn).await?))
        .await?;
    for what in stale {
        db.service(async |conn: &mut Conn| Ok::<_, db::Error>(agreement::count(conn, what).await?))
            .await?;
    }
    Ok(())
}
