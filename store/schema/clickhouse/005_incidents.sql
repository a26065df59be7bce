-- How sure an incident's first cause is, and what an anomaly's series could have shown.
ALTER TABLE incident_events ADD COLUMN IF NOT EXISTS Confidence Float64 AFTER CauseKind;
ALTER TABLE chain_anomalies ADD COLUMN IF NOT EXISTS MinimumDetectable Nullable(Float64) AFTER BaselineCalls;
ALTER TABLE chain_anomalies ADD COLUMN IF NOT EXISTS Query String AFTER MinimumDetectable;
