-- A layout shows no camera that is gone, and a user has one default.

SELECT 1 / (count(*) = 1)::integer
FROM pg_policies
WHERE tablename = 'layouts' AND policyname = 'the_api_sees_one_tenant';

SELECT 1 / (count(*) = 1)::integer
FROM pg_indexes
WHERE indexname = 'layouts_have_one_default'
  AND indexdef LIKE '%UNIQUE%WHERE is_default%';

SELECT 1 / (count(*) = 0)::integer
FROM api_layouts
WHERE jsonb_array_length(cells) > 64;
