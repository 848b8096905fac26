// The API on NestJS, with Fastify below it.

import 'reflect-metadata';

import {
  Controller,
  DefaultValuePipe,
  ForbiddenException,
  Get,
  HttpException,
  Injectable,
  Module,
  NotFoundException,
  Param,
  ParseIntPipe,
  ParseUUIDPipe,
  Query,
  Req,
  Res,
  UnauthorizedException,
  UseGuards,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  FastifyAdapter,
  type NestFastifyApplication,
} from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { getCamera, listCameras, type Camera } from './cameras.js';
import { errorBody, options, prepare } from './http.js';
import { LIMIT, remaining, WINDOW_SEC } from './limit.js';
import { mayReadCameras, resolve, type Principal } from './principal.js';
import { settings } from './settings.js';

@Injectable()
class AuthGuard implements CanActivate {
  async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const principal = await resolve(request.headers.authorization);

    if (principal === undefined) {
      http.getResponse<FastifyReply>().header('WWW-Authenticate', 'Bearer');
      throw new UnauthorizedException(
        errorBody('AUTH_TOKEN_INVALID', 'Log in first.', request.id),
      );
    }

    request.principal = principal;

    if (!mayReadCameras(principal)) {
      throw new ForbiddenException(
        errorBody(
          'AUTH_INSUFFICIENT_PERMISSIONS',
          'That needs cameras:read.',
          request.id,
        ),
      );
    }

    return true;
  }
}

@Injectable()
class LimitGuard implements CanActivate {
  async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const left = await remaining((request.principal as Principal).userId);

    reply.header('RateLimit-Policy', `"default";q=${LIMIT};w=${WINDOW_SEC}`);
    reply.header('RateLimit', `"default";r=${Math.max(left, 0)}`);

    if (left < 0) {
      reply.header('Retry-After', WINDOW_SEC);
      throw new HttpException(
        errorBody('RATE_LIMIT_EXCEEDED', 'Too many requests.', request.id),
        429,
      );
    }

    return true;
  }
}

@Controller('api/v1/cameras')
@UseGuards(AuthGuard, LimitGuard)
class CamerasController {
  @Get(':id')
  async get(
    @Param('id', ParseUUIDPipe) id: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Camera> {
    const { tenantId } = request.principal as Principal;
    const found = await getCamera(tenantId, id);

    if (found === undefined) {
      throw new NotFoundException(
        errorBody('CAMERA_NOT_FOUND', 'No such camera.', request.id),
      );
    }

    reply.header('ETag', `"${found.version}"`);
    return found.camera;
  }

  @Get()
  async list(
    @Query('limit', new DefaultValuePipe(50), ParseIntPipe) limit: number,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Camera[]> {
    const { tenantId } = request.principal as Principal;
    const { cameras, next } = await listCameras(tenantId, limit);

    if (next !== undefined) {
      reply.header(
        'Link',
        `</api/v1/cameras?limit=${limit}&cursor=${next}>; rel="next"`,
      );
    }

    return cameras;
  }
}

@Module({ controllers: [CamerasController] })
class AppModule {}

const adapter = new FastifyAdapter(options);

prepare(adapter.getInstance());

const app = await NestFactory.create<NestFastifyApplication>(
  AppModule,
  adapter,
  { logger: ['error', 'warn'] },
);

await app.listen(settings.port, '127.0.0.1');
