-- The role camera_app stays: other databases of the cluster may use it.

DROP TABLE tenants;
DROP FUNCTION touch_updated_at();
DROP FUNCTION default_tenant();
