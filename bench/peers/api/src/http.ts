// What both servers set up alike on their Fastify: ids of requests, one line
// of JSON for each in a log that is written in the background, errors.

import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

import type { FastifyInstance, FastifyServerOptions } from 'fastify';
import { pino } from 'pino';

import type { Principal } from './principal.js';
import { settings } from './settings.js';

declare module 'fastify' {
  interface FastifyRequest {
    principal: Principal | null;
  }
}

const log = pino(
  { base: null },
  pino.destination({ dest: settings.log, sync: false, minLength: 4096 }),
);

export const options: FastifyServerOptions = {
  logger: false,
  genReqId: (request: IncomingMessage) => {
    const own = request.headers['x-request-id'];

    return typeof own === 'string' && /^[\w.-]{1,64}$/.test(own)
      ? own
      : randomUUID();
  },
};

export function prepare(app: FastifyInstance): void {
  app.decorateRequest('principal', null);

  app.addHook('onRequest', (request, reply, done) => {
    reply.header('X-Request-Id', request.id);
    reply.header('Cache-Control', 'no-store');
    done();
  });

  app.addHook('onResponse', (request, reply, done) => {
    log.info({
      id: request.id,
      address: request.ip,
      user: request.principal?.userId,
      method: request.method,
      path: request.url,
      status: reply.statusCode,
      ms: reply.elapsedTime,
    });
    done();
  });
}

export function errorBody(code: string, message: string, requestId: string) {
  return {
    success: false,
    error: { code, message, timestamp: new Date().toISOString(), requestId },
  };
}
