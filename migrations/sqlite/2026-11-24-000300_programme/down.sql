DROP INDEX case_marks_programme_idx;
ALTER TABLE case_marks DROP COLUMN replies_published_at;
ALTER TABLE case_marks DROP COLUMN published_replies;
ALTER TABLE case_marks DROP COLUMN text_published_at;
ALTER TABLE case_marks DROP COLUMN published_text;
ALTER TABLE case_marks DROP COLUMN programme_year;
