-- A user who can read Headwater's tables and nothing else, for a ClickHouse server whose users are kept by SQL. Grafana's users
-- write SQL of their own, so what they may do is decided here. `clickhouse-reader.xml` says the same as a file.
-- Run it once, as a user who may manage access, with the password in place of the dots.
CREATE SETTINGS PROFILE IF NOT EXISTS headwater_reader SETTINGS
    readonly = 1,
    -- Grafana's driver says how long it waits.
    max_execution_time = 30 MAX 60 CHANGEABLE_IN_READONLY,
    max_memory_usage = 2000000000,
    max_result_rows = 1000000,
    max_result_bytes = 100000000,
    max_concurrent_queries_for_user = 10;
CREATE USER IF NOT EXISTS headwater_reader IDENTIFIED WITH sha256_password BY '…' SETTINGS PROFILE 'headwater_reader';
GRANT SELECT ON headwater.* TO headwater_reader;
GRANT SELECT ON system.parts TO headwater_reader;
