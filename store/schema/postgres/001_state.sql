CREATE TABLE incidents (
    id text PRIMARY KEY,
    state text NOT NULL CHECK (state IN ('open', 'resolved')),
    title text NOT NULL,
    since timestamptz NOT NULL,
    opened_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    resolved_at timestamptz,
    quiet_steps integer NOT NULL,
    -- Canonical keys of the services that its anomalies speak of.
    scope jsonb NOT NULL,
    anomalies jsonb NOT NULL,
    causes jsonb NOT NULL,
    impact jsonb NOT NULL,
    epoch bigint NOT NULL
);
CREATE INDEX incidents_opened_at ON incidents (opened_at DESC, id DESC);
CREATE INDEX incidents_open ON incidents (updated_at) WHERE state = 'open';

CREATE TABLE changes (
    id text PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('deploy', 'flag', 'configuration')),
    service text NOT NULL,
    version text,
    description text,
    at timestamptz NOT NULL
);
CREATE INDEX changes_at ON changes (at DESC, id DESC);

-- One leader: taken over by compare-and-swap once it has expired; every write carries the epoch.
CREATE TABLE leases (
    name text PRIMARY KEY,
    holder text NOT NULL,
    epoch bigint NOT NULL,
    expires_at timestamptz NOT NULL
);

-- A tick and its boundaries are recorded before its first insert; `done` moves the watermark.
CREATE TABLE settle_ticks (
    tick bigint PRIMARY KEY,
    from_boundary timestamptz NOT NULL,
    boundary timestamptz NOT NULL,
    done boolean NOT NULL,
    epoch bigint NOT NULL,
    spans bigint NOT NULL DEFAULT 0,
    late bigint NOT NULL DEFAULT 0
);
