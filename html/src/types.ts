/*
 * Names for what the contract describes.  `contract.gen.ts` is made from
 * openapi.yaml before each build, so a field that is renamed there stops the
 * page from compiling.
 */

import type { components } from "./contract.gen";

type Schemas = components["schemas"];

export type AuthResponse = Schemas["AuthResponse"];
export type Alert = Schemas["Alert"];
export type Camera = Schemas["Camera"];
export type CameraCreate = Schemas["CameraCreate"];
export type CameraRemoved = Schemas["CameraRemoved"];
export type CameraUpdate = Schemas["CameraUpdate"];
export type LoginRequest = Schemas["LoginRequest"];
export type PasswordChange = Schemas["PasswordChange"];
export type Permission = Schemas["Permission"];
export type RecordingSchedule = Schemas["RecordingSchedule"];
export type RecordingScheduleSet = Schemas["RecordingScheduleSet"];
export type RecordingStart = Schemas["RecordingStart"];
export type StreamKey = Schemas["StreamKey"];
export type StreamKeyRotate = Schemas["StreamKeyRotate"];
export type StreamState = Schemas["StreamState"];
export type StreamStatus = Schemas["StreamStatus"];
export type StreamUrl = Schemas["StreamUrl"];
export type User = Schemas["User"];
export type CameraEvent = Schemas["Event"];

export function may(user: User, permission: Permission): boolean {
  return (
    user.permissions.includes("*") || user.permissions.includes(permission)
  );
}

/* PROVISIONAL until openapi.yaml has them */
export interface RecordingTimeline {
  segments: { id: string | null; start: string; end: string; duration: number; state: string }[];
  gaps: { start: string; end: string | null; cause: string }[];
  markers: { id: string; type: string; time: string; until: string | null; label: string }[];
  resolution: number;
}
export interface DayCoverage { date: string; wantedSeconds: number; recordedSeconds: number; percent: number | null }
export interface Recording { id: string; cameraId: string; filename: string; duration: number; fileSize: number; startTime: string; endTime: string; isLocked: boolean; lockedReason: string | null; state: string }
export interface PlaybackUrl { url: string; expiresAt: string }
export interface SignedUrl { url: string; expiresAt: string; filename: string; fileSize: number }
export interface Bookmark { id: string; cameraId: string; at: string; until: string | null; label: string; note: string | null }
export interface BookmarkCreate { cameraId: string; at: string; label: string; note?: string }
export interface Export { id: string; cameraId: string; from: string; to: string; state: "queued" | "running" | "done" | "failed" | "expired"; progress: number; bytes: number | null; sha256: string | null; error: string | null; createdAt: string }
export interface ExportCreate { cameraId: string; from: string; to: string }
export interface StorageUsage { cameras: { cameraId: string; name: string; bytes: number; growthPerDay: number }[]; volumes: { id: string; path: string; state: string; bytesTotal: number; bytesFree: number }[]; totalBytes: number; growthPerDay: number; daysLeft: number | null }
