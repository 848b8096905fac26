// So many requests a minute for each user, counted in Redis by one script, so
// that every server of a site sees the same count.

import { Redis, type Result } from 'ioredis';

import { settings } from './settings.js';

export const LIMIT = 6000;
export const WINDOW_SEC = 60;

declare module 'ioredis' {
  interface RedisCommander<Context> {
    hit(key: string, seconds: number): Result<number, Context>;
  }
}

const redis = new Redis(settings.redis, { enableAutoPipelining: true });

redis.defineCommand('hit', {
  numberOfKeys: 1,
  lua: `
    local n = redis.call('INCR', KEYS[1])
    if n == 1 then
      redis.call('EXPIRE', KEYS[1], ARGV[1])
    end
    return n`,
});

/** How many requests the user may still send, below zero when too many. */
export async function remaining(userId: string): Promise<number> {
  const window = Math.floor(Date.now() / 1000 / WINDOW_SEC);
  return LIMIT - (await redis.hit(`limit:${userId}:${window}`, WINDOW_SEC));
}
