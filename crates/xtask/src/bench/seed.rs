//! What is in the database before something is measured.

use anyhow::{Result, bail};
use serde_json::json;

use super::product::Product;

/// What is seeded belongs to these.
pub(crate) const MODEL: &str = "01900000-0000-7000-8000-0000000000aa";

/// A model and twenty benchmarks; what is measured needs no more.
pub(crate) fn seed(product: &Product) -> Result<()> {
    let made = product.sql(&format!(
        "insert into models (id, organization_id, name, backend, model_args) \
         select '{MODEL}', id, 'bench', 'openai', '[[\"model_version\", \"bench\"]]' from organizations \
         order by created_at limit 1; \
         insert into benchmarks (id, name, kind, modality, leaf_tasks, num_samples) \
         select md5('benchmark ' || i)::uuid, 'bench_' || i, 'task', 'Text', array['bench_' || i], 500 \
         from generate_series(1, 20) i; select count(*) from benchmarks where name like 'bench\\_%'"
    ))?;
    match made.as_str() {
        "20" => Ok(()),
        other => bail!("the seeds made {other} benchmarks, expected 20"),
    }
}

/// Runs as they are after some months: three picks each, nine in ten over.
pub(crate) fn old_runs(count: usize) -> String {
    let plan = json!({
        "resolved": {"checkpoint_variant": "latest", "model_args": [["model_version", "bench"]]},
        "expected_seconds": {"bench_1": 100.0},
        "commands": [{"argv": ["python", "-m", "lmms_eval", "--model", "openai", "--tasks", "bench_1"], "env": {}}],
    });
    format!(
        "insert into runs (id, organization_id, name, model_id, status, outcome, total_tasks, completed_tasks, plan, \
           created_at, queued_at, started_at, completed_at, progress_percent) \
         select md5('run ' || i)::uuid, o.id, 'run ' || i, '{MODEL}', \
           (array['completed', 'completed', 'failed', 'cancelled'])[1 + i % 4], \
           (array['completed', 'completed', 'crashed', 'cancelled'])[1 + i % 4], 3, 3, '{plan}', t, t, t, t, 100 \
         from generate_series(1, {count}) i, lateral (select now() - i * interval '1 minute' as t) t, \
           (select id from organizations order by created_at limit 1) o; \
         insert into run_benchmarks (id, organization_id, run_id, benchmark_id, name, \"order\", status, leaf_tasks, \
           started_at, completed_at, sample_count) \
         select gen_random_uuid(), r.organization_id, r.id, b.id, b.name, n, 'completed', b.leaf_tasks, \
           r.created_at, r.created_at + interval '90 seconds', 8 \
         from runs r, generate_series(0, 2) n, lateral (select * from benchmarks where name = 'bench_' || (1 + n)) b \
         where r.name like 'run %'; \
         vacuum analyze runs; vacuum analyze run_benchmarks;"
    )
}
