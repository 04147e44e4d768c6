//! The secrets that a run refers to.

use crate::db::runs::RunRow;
use crate::db::{Conn, planning};
use crate::state::AppState;
use diesel::QueryResult;
use std::collections::BTreeMap;
use types::{EnvValue, RunConfig};

/// The variables of a run that refer to a secret, with the secret's name and its value where it
/// exists and can be opened.
pub async fn of_run(
    state: &AppState,
    conn: &mut Conn,
    run: &RunRow,
) -> QueryResult<BTreeMap<String, (String, Option<String>)>> {
    let names = names_of(run);
    let wanted: Vec<String> = names.values().cloned().collect();
    let sealed: BTreeMap<String, Vec<u8>> = planning::sealed(conn, run.organization_id, &wanted)
        .await?
        .into_iter()
        .collect();
    let open = |name: &String| {
        let context = format!("{}/{name}", run.organization_id);
        let plain = state.keys.sealing.open(&context, sealed.get(name)?)?;
        String::from_utf8(plain).ok()
    };
    let opened = |(variable, name): (String, String)| {
        let value = open(&name);
        (variable, (name, value))
    };
    Ok(names.into_iter().map(opened).collect())
}

/// Variable to name of the secret.
fn names_of(run: &RunRow) -> BTreeMap<String, String> {
    let config = serde_json::from_value::<RunConfig>(run.config.clone()).unwrap_or_default();
    let secret = |(key, value): (String, EnvValue)| match value {
        EnvValue::Secret { secret } => Some((key, secret)),
        EnvValue::Plain(_) => None,
    };
    config
        .environment
        .unwrap_or_default()
        .into_iter()
        .filter_map(secret)
        .collect()
}
