drop index public.runs_organization_status;
