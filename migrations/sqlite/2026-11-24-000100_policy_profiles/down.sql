DELETE FROM number_series WHERE series = 'policy_profile';
DROP TABLE policy_profiles;
