-- A first organization for a hosted project. Whoever signs up first is made its owner by hand:
--   insert into public.memberships (organization_id, user_id, role)
--   select o.id, u.id, 'owner' from public.organizations o, auth.users u where u.email = '<address>';
insert into public.organizations (id, name)
values ('01900000-0000-7000-8000-000000000001', 'My organization')
on conflict do nothing;
