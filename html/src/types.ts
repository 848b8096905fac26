/*
 * Names for what the contract describes.  `contract.gen.ts` is made from
 * openapi.yaml before each build, so a field that is renamed there stops the
 * page from compiling.
 */

import type { components } from "./contract.gen";

type Schemas = components["schemas"];

export type Account = Schemas["Account"];
export type AccountCreate = Schemas["AccountCreate"];
export type AccountUpdate = Schemas["AccountUpdate"];
export type AuthResponse = Schemas["AuthResponse"];
export type Alert = Schemas["Alert"];
export type ApiToken = Schemas["ApiToken"];
export type ApiTokenCreate = Schemas["ApiTokenCreate"];
export type ApiTokenCreated = Schemas["ApiTokenCreated"];
export type ApiTokenDay = Schemas["ApiTokenDay"];
export type AuditLogEntry = Schemas["AuditLogEntry"];
export type AuditResult = Schemas["AuditResult"];
export type Bookmark = Schemas["Bookmark"];
export type BookmarkCreate = Schemas["BookmarkCreate"];
export type Camera = Schemas["Camera"];
export type CameraCreate = Schemas["CameraCreate"];
export type CameraGroup = Schemas["CameraGroup"];
export type CameraGroupCreate = Schemas["CameraGroupCreate"];
export type CameraGroupDetail = Schemas["CameraGroupDetail"];
export type CameraGroupUpdate = Schemas["CameraGroupUpdate"];
export type CameraRemoved = Schemas["CameraRemoved"];
export type CameraScope = Schemas["CameraScope"];
export type CameraUpdate = Schemas["CameraUpdate"];
export type DayCoverage = Schemas["DayCoverage"];
export type Export = Schemas["Export"];
export type ExportCreate = Schemas["ExportCreate"];
export type ExportUrl = Schemas["ExportUrl"];
export type Grants = Schemas["Grants"];
export type GrantsPut = Schemas["GrantsPut"];
export type Layout = Schemas["Layout"];
export type LayoutCell = Schemas["LayoutCell"];
export type LayoutCreate = Schemas["LayoutCreate"];
export type LayoutUpdate = Schemas["LayoutUpdate"];
export type LoginRequest = Schemas["LoginRequest"];
export type PasswordChange = Schemas["PasswordChange"];
export type Permission = Schemas["Permission"];
export type Providers = Schemas["Providers"];
export type Recording = Schemas["Recording"];
export type RecordingSchedule = Schemas["RecordingSchedule"];
export type RecordingScheduleSet = Schemas["RecordingScheduleSet"];
export type RecordingStart = Schemas["RecordingStart"];
export type RecordingTimeline = Schemas["RecordingTimeline"];
export type RecordingUrl = Schemas["RecordingUrl"];
export type RegisterRequest = Schemas["RegisterRequest"];
export type StorageUsage = Schemas["StorageUsage"];
export type StreamKey = Schemas["StreamKey"];
export type StreamKeyRotate = Schemas["StreamKeyRotate"];
export type StreamState = Schemas["StreamState"];
export type StreamStatus = Schemas["StreamStatus"];
export type StreamUrl = Schemas["StreamUrl"];
export type User = Schemas["User"];
export type UserRole = Schemas["UserRole"];
export type UserSession = Schemas["Session"];
export type CameraEvent = Schemas["Event"];

export function may(user: User, permission: Permission): boolean {
  return (
    user.permissions.includes("*") || user.permissions.includes(permission)
  );
}
