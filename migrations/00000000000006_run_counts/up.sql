-- The list of runs counts an organization's runs by status each time: from the index alone.
create index runs_organization_status on public.runs (organization_id, status);
