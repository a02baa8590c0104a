DROP TABLE follow_ups;
DROP INDEX promises_status_idx;
ALTER TABLE case_marks DROP COLUMN has_follow_ups;
