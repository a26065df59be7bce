-- How sure the first cause is, why none is told, what changed, and how often an incident came back. The analyzer's.
ALTER TABLE incidents ADD COLUMN IF NOT EXISTS confidence double precision NOT NULL DEFAULT 0;
ALTER TABLE incidents ADD COLUMN IF NOT EXISTS no_cause_reason text;
ALTER TABLE incidents ADD COLUMN IF NOT EXISTS changes jsonb NOT NULL DEFAULT '[]';
ALTER TABLE incidents ADD COLUMN IF NOT EXISTS reopenings integer NOT NULL DEFAULT 0;
ALTER TABLE incidents ADD COLUMN IF NOT EXISTS reopened jsonb NOT NULL DEFAULT '[]';

-- What people say of an incident. The analyzer never writes these columns, and people write no others. Whoever acknowledges
-- or closes it does so for its present round, the number of reopenings: coming back undoes it, whatever the clocks say.
ALTER TABLE incidents ADD COLUMN IF NOT EXISTS acknowledged jsonb;
ALTER TABLE incidents ADD COLUMN IF NOT EXISTS closed jsonb;
ALTER TABLE incidents ADD COLUMN IF NOT EXISTS comments jsonb NOT NULL DEFAULT '[]';
ALTER TABLE incidents ADD COLUMN IF NOT EXISTS verdict jsonb;

CREATE INDEX IF NOT EXISTS incidents_resolved ON incidents (resolved_at DESC) WHERE state = 'resolved';
CREATE INDEX IF NOT EXISTS incidents_judged ON incidents (opened_at DESC) WHERE verdict IS NOT NULL;
