-- What refers to users, and goes or changes with them, has an index.

SELECT 1 / (count(*) = 0)::integer
FROM pg_constraint c
WHERE c.confrelid = 'users'::regclass AND c.confdeltype IN ('c', 'n')
  AND NOT EXISTS (SELECT FROM pg_index i
                  WHERE i.indrelid = c.conrelid
                    AND (i.indkey::int2[])[0] = c.conkey[1]);
