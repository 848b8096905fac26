/*
 * Stands in for fetch: answers what the test has put on the list, in order,
 * and keeps what was asked.
 */

import { vi } from "vitest";

export interface Asked {
  method: string;
  url: string;
  headers: Headers;
  body: unknown;
}

type Answer = Response | Error | (() => Promise<Response>);

export class Server {
  readonly asked: Asked[] = [];
  private readonly answers: Answer[] = [];

  constructor() {
    vi.stubGlobal("fetch", (url: string, init: RequestInit) =>
      this.answer(url, init),
    );
  }

  will(...answers: Answer[]): this {
    this.answers.push(...answers);
    return this;
  }

  private async answer(url: string, init: RequestInit): Promise<Response> {
    this.asked.push({
      method: init.method ?? "GET",
      url,
      headers: new Headers(init.headers),
      body: typeof init.body === "string" ? JSON.parse(init.body) : undefined,
    });

    init.signal?.throwIfAborted();
    const answer = this.answers.shift();

    if (answer === undefined) {
      throw new Error(`nobody expected ${url}`);
    }

    if (answer instanceof Error) {
      throw answer;
    }

    return typeof answer === "function" ? answer() : answer;
  }
}

export function ok(body: unknown, headers: Record<string, string> = {}) {
  return new Response(JSON.stringify(body), { status: 200, headers });
}

export function refused(
  status: number,
  code: string,
  more: { details?: unknown; headers?: Record<string, string> } = {},
) {
  const error = {
    code,
    message: `${code} in words.`,
    details: more.details,
    timestamp: "2026-01-01T00:00:00.000Z",
    requestId: "7f3c0c1e5ad24d3b",
  };

  return new Response(JSON.stringify({ success: false, error }), {
    status,
    headers: more.headers ?? {},
  });
}

export function authResponse(accessToken: string, expiresIn = 900) {
  return {
    accessToken,
    tokenType: "Bearer" as const,
    expiresIn,
    refreshExpiresAt: "2026-02-01T00:00:00.000Z",
    user: {
      id: "6f1c4a52-6a1b-4b5b-9a59-3d6d9f8a0001",
      tenantId: "6f1c4a52-6a1b-4b5b-9a59-3d6d9f8a0002",
      username: "olga",
      name: null,
      email: null,
      role: "operator" as const,
      permissions: ["cameras:read" as const],
      mustChangePassword: false,
    },
  };
}
