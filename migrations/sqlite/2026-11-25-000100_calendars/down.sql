DROP INDEX clocks_kind_idx;
DROP INDEX clocks_line_idx;
DROP INDEX clocks_unit_idx;
DROP INDEX clocks_due_idx;
ALTER TABLE clocks DROP COLUMN line;
ALTER TABLE clocks DROP COLUMN unit_id;
ALTER TABLE committees DROP COLUMN calendar_version;
DROP TABLE calendar_days;
DROP TABLE calendars;
