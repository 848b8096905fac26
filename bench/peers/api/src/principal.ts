// Who asks: the access token, and the session and user behind it, which may
// have been ended or changed since the token was made.

import { createVerifier } from 'fast-jwt';

import { query, type Statement } from './database.js';
import { settings } from './settings.js';

export interface Principal {
  userId: string;
  tenantId: string;
  role: string;
}

interface Claims {
  sub: string;
  sid: string;
}

interface Row {
  user_id: string;
  tenant_id: string;
  role: string;
}

const session: Statement = {
  name: 'session',
  text: `SELECT s.user_id, s.tenant_id, u.role
         FROM user_sessions s JOIN users u ON u.id = s.user_id
         WHERE s.id = $1 AND s.revoked_at IS NULL AND s.expires_at > now()
           AND u.is_active`,
};

// verified tokens are remembered until they expire

const verify = createVerifier({
  key: settings.accessKey,
  algorithms: ['HS256'],
  requiredClaims: ['sub', 'sid', 'exp'],
  cache: 10_000,
  cacheKeyBuilder: (token) => String(token),
});

const known = new Map<string, { principal: Principal; until: number }>();

/** The sender of an Authorization header, undefined when it is no good. */
export async function resolve(
  header: string | undefined,
): Promise<Principal | undefined> {
  if (header === undefined || !header.startsWith('Bearer ')) {
    return undefined;
  }

  let claims: Claims;

  try {
    claims = verify(header.slice(7)) as Claims;
  } catch {
    return undefined;
  }

  return settings.sessionCacheMs > 0 ? cached(claims.sid) : load(claims.sid);
}

async function load(sid: string): Promise<Principal | undefined> {
  const [row] = await query<Row>(session, [sid]);

  return (
    row && { userId: row.user_id, tenantId: row.tenant_id, role: row.role }
  );
}

async function cached(sid: string): Promise<Principal | undefined> {
  const now = Date.now();
  const entry = known.get(sid);

  if (entry && entry.until > now) {
    return entry.principal;
  }

  const principal = await load(sid);

  if (principal) {
    known.set(sid, { principal, until: now + settings.sessionCacheMs });
  }

  return principal;
}

const readers = new Set(['admin', 'operator', 'viewer']);

export function mayReadCameras(principal: Principal): boolean {
  return readers.has(principal.role);
}
