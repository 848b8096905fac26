-- Encryption and tags are parts of cameras and count in their version.

SELECT 1 / (outcome = 'created' AND recording_encrypted
            AND tags = '{north,gate}')::integer
FROM api_camera_create(NULL, NULL, NULL, NULL, 'verify',
                       p_recording_encrypted => true,
                       p_tags => '{north,gate}');

SELECT 1 / (count(*) = 1)::integer
FROM api_cameras c, api_camera_update(c.id, 1, p_recording_encrypted => false) u
WHERE c.name = 'verify' AND u.version = 2 AND NOT u.recording_encrypted
  AND u.tags = '{north,gate}';

SELECT 1 / (tags_are_words('{}') AND NOT tags_are_words('{two words}')
            AND NOT tags_are_words('{""}'))::integer;
