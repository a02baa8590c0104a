ALTER TABLE sign_in_challenges DROP COLUMN provider_id;
ALTER TABLE sign_ins DROP COLUMN provider_id;
DROP TABLE openid_flows;
DROP TABLE openid_links;
DROP TABLE openid_providers;
