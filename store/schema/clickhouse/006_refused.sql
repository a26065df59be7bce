-- Calls of which their caller says that the callee found the request wrong.
ALTER TABLE settled_spans ADD COLUMN IF NOT EXISTS Refused UInt8 AFTER Failed;
