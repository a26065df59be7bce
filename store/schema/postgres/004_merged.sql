-- The older incident that turned out to have the same cause. The analyzer's.
ALTER TABLE incidents ADD COLUMN IF NOT EXISTS merged_into text;
