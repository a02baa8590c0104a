DROP TABLE incoming_referrals;
DROP TABLE referrals;
ALTER TABLE case_marks DROP COLUMN has_referrals;
