DROP VIEW feeder_cameras;
