// Cameras, as openapi.yaml has them for somebody without cameras:write.

import { query, type Statement } from './database.js';

const columns = `
  id, external_id AS "externalId", name, company, model,
  serial_number AS "serialNumber", location, place, NULL AS "rtmpUrl",
  is_active AS "isActive", is_recording AS "isRecording",
  stream_status AS "streamStatus", assigned_node AS "assignedNode",
  allowed_cidrs AS "allowedCidrs", cut_at_expiry AS "cutAtExpiry",
  created_at AS "createdAt", updated_at AS "updatedAt"`;

export interface Camera {
  id: string;
  externalId: string | null;
  name: string;
  company: string;
  model: string;
  serialNumber: string;
  location: string;
  place: string;
  rtmpUrl: string | null;
  isActive: boolean;
  isRecording: boolean;
  streamStatus: string;
  assignedNode: string | null;
  allowedCidrs: string[];
  cutAtExpiry: boolean;
  createdAt: Date;
  updatedAt: Date;
}

const byId: Statement = {
  name: 'camera',
  text: `SELECT version, ${columns} FROM cameras
         WHERE id = $1 AND tenant_id = $2 AND deleted_at IS NULL`,
};

const page: Statement = {
  name: 'cameras',
  text: `SELECT ${columns} FROM cameras
         WHERE tenant_id = $1 AND deleted_at IS NULL
         ORDER BY created_at, id LIMIT $2`,
};

const pageAsJson: Statement = {
  name: 'cameras_json',
  text: `SELECT coalesce(json_agg(row_to_json(c)), '[]')::text AS json
         FROM (SELECT ${columns} FROM cameras
               WHERE tenant_id = $1 AND deleted_at IS NULL
               ORDER BY created_at, id LIMIT $2) c`,
};

export async function getCamera(
  tenantId: string,
  id: string,
): Promise<{ camera: Camera; version: string } | undefined> {
  const [row] = await query<Camera & { version?: string }>(byId, [
    id,
    tenantId,
  ]);

  if (row === undefined) {
    return undefined;
  }

  const { version, ...camera } = row;

  return { camera, version: version ?? '1' };
}

export interface Page {
  cameras: Camera[];
  next: string | undefined;
}

export async function listCameras(
  tenantId: string,
  limit: number,
): Promise<Page> {
  const cameras = await query<Camera>(page, [tenantId, limit + 1]);
  const more = cameras.length > limit;

  if (more) {
    cameras.length = limit;
  }

  const last = cameras.at(-1);

  return {
    cameras,
    next:
      more && last
        ? Buffer.from(`${last.createdAt.toISOString()} ${last.id}`).toString(
            'base64url',
          )
        : undefined,
  };
}

/** The page as text, made by PostgreSQL; it does not say whether more follows. */
export async function listCamerasAsJson(
  tenantId: string,
  limit: number,
): Promise<string> {
  const [row] = await query<{ json: string }>(pageAsJson, [tenantId, limit]);
  return row?.json ?? '[]';
}

const text = { type: 'string' };
const maybe = { type: ['string', 'null'] };
const yesNo = { type: 'boolean' };
const time = { type: 'string', format: 'date-time' };

/** For a serializer that is compiled beforehand. */
export const cameraSchema = {
  type: 'object',
  properties: {
    id: text,
    externalId: maybe,
    name: text,
    company: text,
    model: text,
    serialNumber: text,
    location: text,
    place: text,
    rtmpUrl: maybe,
    isActive: yesNo,
    isRecording: yesNo,
    streamStatus: text,
    assignedNode: maybe,
    allowedCidrs: { type: 'array', items: text },
    cutAtExpiry: yesNo,
    createdAt: time,
    updatedAt: time,
  },
};
