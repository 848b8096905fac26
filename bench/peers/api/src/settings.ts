// What the benchmark tells a server; each is set by bench/Bench/Peer.pm.

function need(name: string): string {
  const value = process.env[name];

  if (value === undefined) {
    throw new Error(`${name} is not set`);
  }

  return value;
}

export const settings = {
  port: Number(need('PEER_PORT')),
  socketDirectory: need('PEER_DATABASE'),
  redis: need('PEER_REDIS'),
  accessKey: Buffer.from(need('PEER_KEY'), 'base64url'),
  log: need('PEER_LOG'),

  // other shapes of the same server: lists become JSON in PostgreSQL; queries
  // are pipelined, and sessions believed for a while without asking
  listInSql: process.env['PEER_LIST_IN_SQL'] === '1',
  pipeline: process.env['PEER_PIPELINE'] === '1',
  sessionCacheMs: Number(process.env['PEER_SESSION_CACHE_MS'] ?? 0),
};
