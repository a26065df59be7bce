-- Where alerts go. `since`: what ended before is not told there. `address` tells whether a disabled one has become another one.
CREATE TABLE alert_destinations (
    name text PRIMARY KEY,
    address text NOT NULL,
    since timestamptz NOT NULL,
    disabled_at timestamptz,
    reason text NOT NULL DEFAULT '',
    changed_at timestamptz NOT NULL
);

-- What a destination was told of an incident; null while it is held back.
CREATE TABLE alert_members (
    destination text NOT NULL,
    incident_id text NOT NULL,
    thread text NOT NULL,
    told jsonb,
    is_open boolean NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (destination, incident_id)
);
CREATE INDEX alert_members_incident ON alert_members (incident_id);
CREATE INDEX alert_members_open ON alert_members (incident_id) WHERE is_open;

-- Messages that belong together. `changes` counts them: the number of the next one is changed by compare-and-swap.
CREATE TABLE alert_threads (
    destination text NOT NULL,
    key text NOT NULL,
    route text NOT NULL,
    changes integer NOT NULL,
    is_open boolean NOT NULL,
    told_at timestamptz NOT NULL,
    message jsonb NOT NULL,
    PRIMARY KEY (destination, key)
);

-- The outbox, and the log of what was sent. Written with the thread, in one transaction.
CREATE TABLE alert_deliveries (
    id text PRIMARY KEY,
    destination text NOT NULL,
    thread text NOT NULL,
    number integer NOT NULL,
    change text NOT NULL CHECK (change IN ('opened', 'updated', 'acknowledged', 'resolved')),
    message jsonb NOT NULL,
    state text NOT NULL CHECK (state IN ('waiting', 'delivered', 'dead')),
    reason text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL,
    -- When it was put, or put again, into the outbox.
    waiting_since timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    ended_at timestamptz,
    attempts integer NOT NULL DEFAULT 0,
    tries integer NOT NULL DEFAULT 0,
    UNIQUE (destination, thread, number)
);
CREATE INDEX alert_deliveries_waiting ON alert_deliveries (destination, thread, number) WHERE state = 'waiting';
CREATE INDEX alert_deliveries_undelivered ON alert_deliveries (destination, state) WHERE state <> 'delivered';
CREATE INDEX alert_deliveries_created ON alert_deliveries (created_at DESC, id DESC);

CREATE TABLE alert_attempts (
    delivery_id text NOT NULL REFERENCES alert_deliveries (id) ON DELETE CASCADE,
    number integer NOT NULL,
    at timestamptz NOT NULL,
    outcome text NOT NULL,
    detail text NOT NULL,
    took_ms integer NOT NULL,
    PRIMARY KEY (delivery_id, number)
);
