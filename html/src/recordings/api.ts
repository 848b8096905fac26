/* What the REST API has about recordings, exports, alerts and storage. */

import type { Outcome } from "../outcome";
import { type Call, json, nothing, type Reader } from "../request";
import type {
  Alert,
  Bookmark,
  BookmarkCreate,
  DayCoverage,
  Export,
  ExportCreate,
  ExportUrl,
  Recording,
  RecordingSchedule,
  RecordingScheduleSet,
  RecordingStart,
  RecordingTimeline,
  RecordingUrl,
  StorageUsage,
  StreamUrl,
} from "../types";
import type { Span } from "./view";

type Ask = <T>(call: Call, read: Reader<T>) => Promise<Outcome<T>>;

const FILES = 100; // of a day there are 24, and a few when it was restless
const EXPORTS = 20;
const ALERTS = 50;

export class RecordingsApi {
  constructor(private readonly ask: Ask) {}

  timeline(
    cameraId: string,
    span: Span,
    signal?: AbortSignal,
  ): Promise<Outcome<RecordingTimeline>> {
    return this.get(
      `/recordings/timeline/${encodeURIComponent(cameraId)}`,
      iso(span),
      signal,
    );
  }

  coverage(
    cameraId: string,
    span: Span,
    signal?: AbortSignal,
  ): Promise<Outcome<DayCoverage[]>> {
    return this.get(
      `/recordings/coverage/${encodeURIComponent(cameraId)}`,
      iso(span),
      signal,
    );
  }

  files(
    cameraId: string,
    span: Span,
    signal?: AbortSignal,
  ): Promise<Outcome<Recording[]>> {
    const { from, to } = iso(span);

    return this.get(
      "/recordings",
      { cameraId, startTime: from, endTime: to, limit: FILES },
      signal,
    );
  }

  /* a range as a playlist */
  playback(
    cameraId: string,
    span: Span,
    signal?: AbortSignal,
  ): Promise<Outcome<StreamUrl>> {
    return this.get(
      `/cameras/${encodeURIComponent(cameraId)}/recordings/playback`,
      iso(span),
      signal,
    );
  }

  fileUrl(id: string): Promise<Outcome<RecordingUrl>> {
    return this.get(`/recordings/${id}/signed-url`, {});
  }

  remove(id: string): Promise<Outcome<void>> {
    return this.ask({ method: "DELETE", path: `/recordings/${id}` }, nothing);
  }

  hold(id: string, reason: string): Promise<Outcome<void>> {
    return this.ask(
      { method: "POST", path: `/recordings/${id}/hold`, body: { reason } },
      nothing,
    );
  }

  release(id: string): Promise<Outcome<void>> {
    return this.ask(
      { method: "DELETE", path: `/recordings/${id}/hold` },
      nothing,
    );
  }

  start(cameraId: string, body: RecordingStart): Promise<Outcome<void>> {
    return this.ask(
      { method: "POST", path: recordingPath(cameraId, "/start"), body },
      nothing,
    );
  }

  stop(cameraId: string): Promise<Outcome<void>> {
    return this.ask(
      { method: "POST", path: recordingPath(cameraId, "/stop") },
      nothing,
    );
  }

  schedule(
    cameraId: string,
    signal?: AbortSignal,
  ): Promise<Outcome<RecordingSchedule>> {
    return this.get(recordingPath(cameraId, "/schedule"), {}, signal);
  }

  setSchedule(
    cameraId: string,
    body: RecordingScheduleSet,
  ): Promise<Outcome<RecordingSchedule>> {
    return this.ask(
      { method: "PUT", path: recordingPath(cameraId, "/schedule"), body },
      json<RecordingSchedule>,
    );
  }

  removeSchedule(cameraId: string): Promise<Outcome<void>> {
    return this.ask(
      { method: "DELETE", path: recordingPath(cameraId, "/schedule") },
      nothing,
    );
  }

  addBookmark(body: BookmarkCreate): Promise<Outcome<Bookmark>> {
    return this.ask(
      { method: "POST", path: "/bookmarks", body },
      json<Bookmark>,
    );
  }

  removeBookmark(id: string): Promise<Outcome<void>> {
    return this.ask({ method: "DELETE", path: `/bookmarks/${id}` }, nothing);
  }

  exports(cameraId: string, signal?: AbortSignal): Promise<Outcome<Export[]>> {
    return this.get("/exports", { cameraId, limit: EXPORTS }, signal);
  }

  addExport(body: ExportCreate): Promise<Outcome<Export>> {
    return this.ask({ method: "POST", path: "/exports", body }, json<Export>);
  }

  removeExport(id: string): Promise<Outcome<void>> {
    return this.ask({ method: "DELETE", path: `/exports/${id}` }, nothing);
  }

  exportUrl(id: string): Promise<Outcome<ExportUrl>> {
    return this.get(`/exports/${id}/signed-url`, {});
  }

  alerts(
    filter: { acknowledged?: boolean },
    signal?: AbortSignal,
  ): Promise<Outcome<Alert[]>> {
    return this.get("/alerts", { ...filter, limit: ALERTS }, signal);
  }

  acknowledge(id: string): Promise<Outcome<void>> {
    return this.ask(
      { method: "POST", path: `/alerts/${id}/acknowledge` },
      nothing,
    );
  }

  storage(signal?: AbortSignal): Promise<Outcome<StorageUsage>> {
    return this.get("/analytics/storage/usage", {}, signal);
  }

  private get<T>(
    path: string,
    query: NonNullable<Call["query"]>,
    signal?: AbortSignal,
  ): Promise<Outcome<T>> {
    return this.ask({ method: "GET", path, query, signal }, json<T>);
  }
}

function recordingPath(cameraId: string, rest: string): string {
  return `/cameras/${encodeURIComponent(cameraId)}/recording${rest}`;
}

function iso(span: Span): { from: string; to: string } {
  return {
    from: new Date(span.from).toISOString(),
    to: new Date(span.to).toISOString(),
  };
}
