-- Who is told is looked up by what he is: the accounts of a committee are not read for it.
CREATE INDEX user_roles_role_idx ON user_roles (committee_id, role, user_id);

-- The list of all promises is in the order of their days.
CREATE INDEX promises_due_idx ON promises (committee_id, due_on, id);
