DROP TABLE sign_in_throttles;
DROP TABLE password_history;
DROP TABLE password_policies;
DROP INDEX sign_ins_expiry_idx;
ALTER TABLE sign_ins DROP COLUMN last_seen_at;
