-- The older incident that turned out to have the same cause. The analyzer's.
ALTER TABLE incidents ADD COLUMN IF NOT EXISTS merged_into text;
CREATE INDEX IF NOT EXISTS incidents_merged_into ON incidents (merged_into) WHERE merged_into IS NOT NULL;
