DROP FUNCTION recordings_to_probe(integer, integer, uuid);
DROP FUNCTION recording_probed(uuid, text);
DROP FUNCTION journal_calm(text, uuid, timestamptz);
DROP FUNCTION journal_alert(text, text, uuid, text, timestamptz, jsonb);
DROP FUNCTION journal_gap(uuid, timestamptz, timestamptz, text);
DROP FUNCTION journal_removed(uuid, text);
DROP FUNCTION journal_close(uuid, timestamptz, bigint, bigint, integer, text);
DROP FUNCTION journal_advance(uuid, timestamptz, bigint, bigint, integer);
DROP FUNCTION journal_open(uuid, uuid, uuid, text, timestamptz, text, integer,
    integer, integer);
DROP FUNCTION recording_garbage_add(uuid, text, text);
DROP FUNCTION journal_position(uuid, text, bigint);
DROP FUNCTION volume_report(uuid, text, text, text, bigint, bigint);
DROP TABLE record_journal;
