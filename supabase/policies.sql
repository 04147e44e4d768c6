-- Functions, triggers and policies: the current definition of each, replaceable as a whole.
-- Applied after the migrations whenever this file has changed, as `postgres`, in one transaction.
-- The same text serves the embedded database and a hosted project.

set local client_min_messages = warning;

-- The caller's role in an organization; null for strangers.
-- Our server says who is calling in `app.principal`, beside the claims: a user, or a token with its organization and
-- role. PostgREST on a hosted project cannot set it, so there the signed-in user's membership decides. A claim that a
-- user can put into a JWT (user_metadata) is never read.
create or replace function app.org_role(org uuid) returns text
language sql stable security definer set search_path = '' as $$
  select case
    when principal ->> 'kind' = 'token' then
      case when (principal ->> 'organization_id')::uuid = org then principal ->> 'role' end
    else (
      select m.role from public.memberships m
      where m.organization_id = org
        and m.user_id = case when principal is null then auth.uid() else (principal ->> 'id')::uuid end)
  end
  from (select nullif(current_setting('app.principal', true), '')::jsonb as principal) as caller
$$;
revoke all on function app.org_role(uuid) from public;
grant execute on function app.org_role(uuid) to authenticated, service_role;

-- Where the caller may read, asked once per statement: a policy that calls a function for every row costs more than
-- the rows themselves. `app.org_role` alone decides; this only names the organizations that it is asked about.
create or replace function app.readable() returns uuid[]
language sql stable security definer set search_path = '' as $$
  select coalesce(array_agg(candidate.id) filter (where app.org_role(candidate.id) is not null), '{}')
  from (
    select (principal ->> 'organization_id')::uuid as id
    from (select nullif(current_setting('app.principal', true), '')::jsonb as principal) as caller
    where principal ->> 'kind' = 'token'
    union all
    select m.organization_id
    from (select nullif(current_setting('app.principal', true), '')::jsonb as principal) as caller
    join public.memberships m
      on m.user_id = case when principal is null then auth.uid() else (principal ->> 'id')::uuid end
    where principal ->> 'kind' is distinct from 'token'
  ) as candidate
$$;
revoke all on function app.readable() from public;
grant execute on function app.readable() to authenticated, service_role;

-- Whether somebody's session of the embedded sign-in is still open: an access token outlives it by minutes.
create or replace function app.session_is_open(session uuid, who uuid) returns boolean
language sql stable security definer set search_path = '' as $$
  select exists (select from auth.sessions s where s.id = session and s.user_id = who)
$$;
revoke all on function app.session_is_open(uuid, uuid) from public;
grant execute on function app.session_is_open(uuid, uuid) to authenticated, service_role;

-- I3: a terminal attempt never changes its state.
create or replace function app.attempt_stays_terminal() returns trigger language plpgsql set search_path = '' as $$
begin
  if old.state in ('succeeded', 'failed', 'cancelled', 'lost', 'timed_out') and new.state is distinct from old.state then
    raise exception 'attempt % is already %', old.id, old.state using errcode = 'check_violation';
  end if;
  if new.epoch is distinct from old.epoch then
    raise exception 'the epoch of attempt % cannot change', old.id using errcode = 'check_violation';
  end if;
  return new;
end
$$;
create or replace trigger attempt_stays_terminal before update on public.run_attempts
  for each row execute function app.attempt_stays_terminal();

-- I4: epoch and sequence only grow.
create or replace function app.run_only_grows() returns trigger language plpgsql set search_path = '' as $$
begin
  if new.epoch < old.epoch or new.last_seq < old.last_seq then
    raise exception 'epoch and last_seq of run % only grow', old.id using errcode = 'check_violation';
  end if;
  return new;
end
$$;
create or replace trigger run_only_grows before update of epoch, last_seq on public.runs
  for each row execute function app.run_only_grows();

-- The leaderboard's scores follow the committed ones. A score of all documents stands before one of a part, a later
-- run before an earlier one.
create or replace function app.board_note(organizations uuid[]) returns void language sql set search_path = '' as $$
  insert into public.board_state as s (organization_id, changes)
  select distinct o, 1 from unnest(organizations) o order by 1
  on conflict (organization_id) do update set changes = s.changes + 1
$$;
create or replace function app.board_take(metrics uuid[]) returns void language sql set search_path = '' as $$
  insert into public.board_scores as s (organization_id, benchmark_id, metric_name, filter, slice_id, model_id,
    checkpoint_variant, run_id, run_benchmark_id, value, stderr, sample_count, higher_is_better, is_group, conditions, ran_at)
  select distinct on (m.organization_id, m.benchmark_id, m.metric_name, m.filter, m.slice_id, r.model_id, r.checkpoint_variant)
    m.organization_id, m.benchmark_id, m.metric_name, m.filter, m.slice_id, r.model_id, r.checkpoint_variant, m.run_id,
    m.run_benchmark_id, m.metric_value, m.stderr, m.sample_count, m.higher_is_better, m.is_group, m.conditions,
    coalesce(r.started_at, r.created_at)
  from public.run_metrics m join public.runs r on r.id = m.run_id
  where m.id = any (metrics) and m.metric_value is not null
    -- Nothing is taken while everything of an organization goes.
    and exists (select from public.organizations o where o.id = m.organization_id)
  order by m.organization_id, m.benchmark_id, m.metric_name, m.filter, m.slice_id, r.model_id, r.checkpoint_variant,
    (m.conditions ? 'limit'), coalesce(r.started_at, r.created_at) desc
  on conflict (organization_id, slice_id, benchmark_id, metric_name, filter, model_id, checkpoint_variant) do update set
    run_id = excluded.run_id, run_benchmark_id = excluded.run_benchmark_id, value = excluded.value,
    stderr = excluded.stderr, sample_count = excluded.sample_count, higher_is_better = excluded.higher_is_better,
    is_group = excluded.is_group, conditions = excluded.conditions, ran_at = excluded.ran_at
  where (not (excluded.conditions ? 'limit'), excluded.ran_at) >= (not (s.conditions ? 'limit'), s.ran_at)
$$;
-- Answers to these benchmarks have come or gone: the worker counts again how much they agree.
create or replace function app.agreement_note(organization uuid, benchmarks uuid[]) returns void
language sql set search_path = '' as $$
  -- The same row first as for the scores: whoever changes several benchmarks does it one after the other.
  select from public.board_state where organization_id = organization for update;
  insert into public.agreement_state as s (organization_id, benchmark_id, changes)
  select organization, b.id, 1 from public.benchmarks b
  where b.id = any (benchmarks) and exists (select from public.organizations o where o.id = organization)
  order by b.id
  on conflict (organization_id, benchmark_id) do update set changes = s.changes + 1
$$;
create or replace function app.agreement_follows() returns trigger language plpgsql set search_path = '' as $$
begin
  perform app.agreement_note(new.organization_id,
    (select array_agg(distinct m.benchmark_id) from public.run_metrics m where m.run_id = new.id));
  return null;
end
$$;
create or replace trigger agreement_follows after update of status on public.runs
  for each row when (old.status is distinct from new.status and 'completed' in (old.status, new.status))
  execute function app.agreement_follows();
create or replace function app.board_takes() returns trigger language plpgsql set search_path = '' as $$
begin
  perform app.board_take((select array_agg(id) from added));
  perform app.board_note((select array_agg(organization_id) from added));
  perform app.agreement_note(a.organization_id, array_agg(distinct a.benchmark_id))
    from added a where a.slice_id is null group by a.organization_id order by a.organization_id;
  return null;
end
$$;
-- What is taken back gives way to the next best that is left.
create or replace function app.board_gives() returns trigger language plpgsql set search_path = '' as $$
declare
  gone record;
begin
  for gone in
    delete from public.board_scores s using removed d
    where s.run_benchmark_id = d.run_benchmark_id and s.benchmark_id = d.benchmark_id
      and s.metric_name = d.metric_name and s.filter = d.filter and s.slice_id is not distinct from d.slice_id
    returning s.*
  loop
    perform app.board_take((select array_agg(m.id) from public.run_metrics m join public.runs r on r.id = m.run_id
      where m.benchmark_id = gone.benchmark_id and m.metric_name = gone.metric_name and m.filter = gone.filter
        and m.slice_id is not distinct from gone.slice_id and m.organization_id = gone.organization_id
        and r.model_id = gone.model_id and r.checkpoint_variant = gone.checkpoint_variant));
  end loop;
  perform app.board_note((select array_agg(d.organization_id) from removed d
    where exists (select from public.organizations o where o.id = d.organization_id)));
  perform app.agreement_note(d.organization_id, array_agg(distinct d.benchmark_id))
    from removed d where d.slice_id is null group by d.organization_id order by d.organization_id;
  return null;
end
$$;
create or replace trigger board_takes after insert on public.run_metrics
  referencing new table as added for each statement execute function app.board_takes();
create or replace trigger board_gives after delete on public.run_metrics
  referencing old table as removed for each statement execute function app.board_gives();

-- A slice whose rule or reach has changed is looked at again from the start; see the worker's `slices`.
create or replace function app.slice_changes() returns trigger language plpgsql set search_path = '' as $$
begin
  if tg_op = 'UPDATE' and old.state = 'deleting' then
    return new;
  end if;
  if tg_op = 'INSERT' or (new.rule, new.slice_type, new.slice_value, new.associated_benchmarks)
    is distinct from (old.rule, old.slice_type, old.slice_value, old.associated_benchmarks) then
    new.state := 'pending';
    new.error := null;
    new.fence := null;
    new.cursor := null;
    new.seen := 0;
    new.updated_at := now();
  elsif (new.name, new.description) is distinct from (old.name, old.description) then
    new.updated_at := now();
  end if;
  return new;
end
$$;
create or replace trigger slice_changes before insert or update on public.slices
  for each row execute function app.slice_changes();

-- Policies: one per table and action.
do $$
declare
  t text;
begin
  -- Readable by every member of the row's organization.
  foreach t in array array['memberships', 'models', 'model_checkpoints', 'task_folders', 'benchmark_overrides',
    'runs', 'run_attempts', 'run_benchmarks', 'run_events', 'run_logs', 'log_chunks', 'artifacts',
    'run_metrics', 'run_samples', 'sample_slices', 'gpu_allocations', 'secrets', 'imports', 'import_files', 'import_uploads',
    'board_scores', 'board_ranks', 'board_pairs', 'board_state', 'document_agreement', 'agreement_state', 'media',
    'document_media']
  loop
    execute format('drop policy if exists read on public.%I', t);
    execute format('create policy read on public.%I for select to authenticated
      using (organization_id = any ((select app.readable())::uuid[]))', t);
  end loop;
  -- Readable by administrators.
  foreach t in array array['invitations', 'api_tokens', 'audit_log']
  loop
    execute format('drop policy if exists read on public.%I', t);
    execute format('create policy read on public.%I for select to authenticated
      using (app.org_role(organization_id) in (''admin'', ''owner''))', t);
  end loop;
  -- Written by editors.
  foreach t in array array['models', 'model_checkpoints', 'benchmark_overrides', 'slices']
  loop
    execute format('drop policy if exists add on public.%I', t);
    execute format('create policy add on public.%I for insert to authenticated
      with check (app.org_role(organization_id) in (''editor'', ''admin'', ''owner''))', t);
  end loop;
  foreach t in array array['models', 'model_checkpoints', 'benchmark_overrides', 'slices', 'runs']
  loop
    execute format('drop policy if exists change on public.%I', t);
    execute format('create policy change on public.%I for update to authenticated
      using (app.org_role(organization_id) in (''editor'', ''admin'', ''owner''))
      with check (app.org_role(organization_id) in (''editor'', ''admin'', ''owner''))', t);
  end loop;
  foreach t in array array['benchmark_overrides']
  loop
    execute format('drop policy if exists remove on public.%I', t);
    execute format('create policy remove on public.%I for delete to authenticated
      using (app.org_role(organization_id) in (''editor'', ''admin'', ''owner''))', t);
  end loop;
  -- A member's own things.
  foreach t in array array['comparison_sessions', 'saved_views']
  loop
    execute format('drop policy if exists read on public.%I', t);
    execute format('create policy read on public.%I for select to authenticated
      using (organization_id = any ((select app.readable())::uuid[]))', t);
    execute format('drop policy if exists add on public.%I', t);
    execute format('create policy add on public.%I for insert to authenticated
      with check (user_id = (select auth.uid()) and app.org_role(organization_id) is not null)', t);
    execute format('drop policy if exists change on public.%I', t);
    execute format('create policy change on public.%I for update to authenticated
      using (user_id = (select auth.uid()) and app.org_role(organization_id) is not null)
      with check (user_id = (select auth.uid()) and app.org_role(organization_id) is not null)', t);
    execute format('drop policy if exists remove on public.%I', t);
    execute format('create policy remove on public.%I for delete to authenticated
      using (user_id = (select auth.uid()) and app.org_role(organization_id) is not null)', t);
  end loop;
end
$$;

-- One that is being removed is gone already.
drop policy if exists remove on public.slices;
drop policy if exists read on public.slices;
create policy read on public.slices for select to authenticated
  using (state <> 'deleting' and organization_id = any ((select app.readable())::uuid[]));

drop policy if exists read on public.organizations;
create policy read on public.organizations for select to authenticated
  using (id = any ((select app.readable())::uuid[]));
drop policy if exists change on public.organizations;
create policy change on public.organizations for update to authenticated
  using (app.org_role(id) in ('admin', 'owner')) with check (app.org_role(id) in ('admin', 'owner'));

-- The installed catalogue is everybody's.
drop policy if exists read on public.benchmarks;
create policy read on public.benchmarks for select to authenticated
  using (organization_id is null or organization_id = any ((select app.readable())::uuid[]));
drop policy if exists read on public.catalogue_state;
create policy read on public.catalogue_state for select to authenticated using (true);

-- Machines are shared by all organizations; who holds a GPU is not (gpu_allocations).
drop policy if exists read on public.hosts;
create policy read on public.hosts for select to authenticated using (true);
drop policy if exists read on public.gpu_devices;
create policy read on public.gpu_devices for select to authenticated using (true);

-- Live changes for Supabase Realtime, where it runs; row-level security decides who receives what.
do $$
declare
  t text;
begin
  if exists (select from pg_publication where pubname = 'supabase_realtime') then
    foreach t in array array['runs', 'run_metrics', 'run_samples', 'run_logs']
    loop
      if not exists (select from pg_publication_tables
        where pubname = 'supabase_realtime' and schemaname = 'public' and tablename = t) then
        execute format('alter publication supabase_realtime add table public.%I', t);
      end if;
    end loop;
  end if;
end
$$;
