// The API on Fastify.

import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify';

import {
  cameraSchema,
  getCamera,
  listCameras,
  listCamerasAsJson,
} from './cameras.js';
import { errorBody, options, prepare } from './http.js';
import { LIMIT, remaining, WINDOW_SEC } from './limit.js';
import { mayReadCameras, resolve, type Principal } from './principal.js';
import { settings } from './settings.js';

const app = Fastify(options);

prepare(app);

function refuse(
  request: FastifyRequest,
  reply: FastifyReply,
  status: number,
  code: string,
  message: string,
) {
  return reply.code(status).send(errorBody(code, message, request.id));
}

app.addHook('preHandler', async (request, reply) => {
  const principal = await resolve(request.headers.authorization);

  if (principal === undefined) {
    reply.header('WWW-Authenticate', 'Bearer');
    return refuse(request, reply, 401, 'AUTH_TOKEN_INVALID', 'Log in first.');
  }

  request.principal = principal;

  if (!mayReadCameras(principal)) {
    return refuse(
      request,
      reply,
      403,
      'AUTH_INSUFFICIENT_PERMISSIONS',
      'That needs cameras:read.',
    );
  }

  const left = await remaining(principal.userId);

  reply.header('RateLimit-Policy', `"default";q=${LIMIT};w=${WINDOW_SEC}`);
  reply.header('RateLimit', `"default";r=${Math.max(left, 0)}`);

  if (left < 0) {
    reply.header('Retry-After', WINDOW_SEC);
    return refuse(
      request,
      reply,
      429,
      'RATE_LIMIT_EXCEEDED',
      'Too many requests.',
    );
  }

  return undefined;
});

app.get<{ Params: { id: string } }>(
  '/api/v1/cameras/:id',
  {
    schema: {
      params: {
        type: 'object',
        properties: { id: { type: 'string', format: 'uuid' } },
      },
      response: { 200: cameraSchema },
    },
  },
  async (request, reply) => {
    const { tenantId } = request.principal as Principal;
    const found = await getCamera(tenantId, request.params.id);

    if (found === undefined) {
      return refuse(request, reply, 404, 'CAMERA_NOT_FOUND', 'No such camera.');
    }

    reply.header('ETag', `"${found.version}"`);
    return found.camera;
  },
);

app.get<{ Querystring: { limit: number } }>(
  '/api/v1/cameras',
  {
    schema: {
      querystring: {
        type: 'object',
        properties: {
          limit: { type: 'integer', minimum: 1, maximum: 200, default: 50 },
        },
      },
      response: { 200: { type: 'array', items: cameraSchema } },
    },
  },
  async (request, reply) => {
    const { tenantId } = request.principal as Principal;
    const { limit } = request.query;

    if (settings.listInSql) {
      reply.serializer((text: unknown) => text as string);
      reply.type('application/json; charset=utf-8');
      return listCamerasAsJson(tenantId, limit);
    }

    const { cameras, next } = await listCameras(tenantId, limit);

    if (next !== undefined) {
      reply.header(
        'Link',
        `</api/v1/cameras?limit=${limit}&cursor=${next}>; rel="next"`,
      );
    }

    return cameras;
  },
);

await app.listen({ host: '127.0.0.1', port: settings.port });
