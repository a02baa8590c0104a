DROP TABLE refusal_uses;
DROP TABLE refusal_reasons;
