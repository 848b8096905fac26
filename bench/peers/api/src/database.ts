// PostgreSQL over its unix socket, statements prepared once on each connection:
// a pool of ten with one query each, or four connections, pipelined, in turn.

import pg from 'pg';

import { settings } from './settings.js';

const connection = {
  host: settings.socketDirectory,
  user: 'camera_owner',
  database: 'camera',
};

const pool = new pg.Pool({ ...connection, max: 10 });
const pipelined: pg.Client[] = [];
let last = 0;

if (settings.pipeline) {
  for (let i = 0; i < 4; i++) {
    const client = new pg.Client({ ...connection, pipeline: true });
    await client.connect();
    pipelined.push(client);
  }
}

function backend(): pg.Pool | pg.Client {
  last = (last + 1) % 4;
  return pipelined[last] ?? pool;
}

export interface Statement {
  name: string;
  text: string;
}

export async function query<Row extends pg.QueryResultRow>(
  statement: Statement,
  values: unknown[],
): Promise<Row[]> {
  const result = await backend().query<Row>({ ...statement, values });
  return result.rows;
}
