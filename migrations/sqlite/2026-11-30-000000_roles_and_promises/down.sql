DROP INDEX promises_due_idx;
DROP INDEX user_roles_role_idx;
