-- A trouble is one alert until it is over.

SELECT 1 / (count(DISTINCT a) = 1)::integer
FROM (SELECT alert_raise(default_tenant(), NULL, 'verify', 'low', 'm') a
      FROM generate_series(1, 3)) raised;

SELECT 1 / count(*)
FROM api_alerts
WHERE type = 'verify' AND count = 3 AND NOT acknowledged;

SELECT 1 / (count(*) = 1)::integer
FROM api_alerts a, api_alert_acknowledge(a.id, NULL) k
WHERE a.type = 'verify' AND k.acknowledged;

SELECT 1 / alert_calm(default_tenant(), NULL, 'verify')::integer;
SELECT 1 / (NOT alert_calm(default_tenant(), NULL, 'verify'))::integer;
