/* What an entry of the audit log says, in words. */

import type { AuditLogEntry } from "../types";

export interface Change {
  name: string;
  from: string | undefined; // undefined: there was nothing
  to: string | undefined;
}

export function changes(entry: AuditLogEntry): Change[] {
  const was: Record<string, unknown> = entry.old ?? {};
  const is: Record<string, unknown> = entry.new ?? {};
  const names = [...new Set([...Object.keys(was), ...Object.keys(is)])].sort();

  return names.map((name) => ({
    name,
    from: entry.old === null ? undefined : text(was[name]),
    to: entry.new === null ? undefined : text(is[name]),
  }));
}

export function details(entry: AuditLogEntry): string {
  return Object.entries(entry.details ?? {})
    .map(([name, value]) => `${name} ${text(value)}`)
    .join(", ");
}

export function objectWords(entry: AuditLogEntry): string {
  return entry.objectName ?? entry.objectId ?? entry.objectType;
}

function text(value: unknown): string {
  if (value === null || value === undefined || value === "") {
    return "–";
  }

  return typeof value === "string" ? value : JSON.stringify(value);
}
