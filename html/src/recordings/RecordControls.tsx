/* Whether a camera is recorded now, and what changes it. */

import { useState } from "react";
import { useMay, useServices } from "../app/services";
import { Button } from "../design/Button";
import { Icon } from "../design/Icon";
import { Menu, MenuItem } from "../design/Menu";
import { refusalWords, type Tone } from "../design/Notice";
import { useToast } from "../design/Toasts";
import type { Outcome } from "../outcome";
import { useStreamState } from "../queries";
import type { Camera, RecordingStart, StreamState } from "../types";
import { useRenewCamera } from "../camera/useRenewCamera";
import { ScheduleDialog } from "./ScheduleDialog";
import { useRenewRecordings } from "./useRenew";

const EVENT: RecordingStart = {
  durationSeconds: 300,
  preRollSeconds: 10,
  reason: "by hand",
};

export function RecordControls({ camera }: { camera: Camera }) {
  const { api } = useServices();
  const writes = useMay("cameras:write");
  const say = useToast();
  const renewCamera = useRenewCamera();
  const renew = useRenewRecordings();
  const state = useStreamState(camera.id).data?.recording ?? null;
  const [busy, setBusy] = useState(false);
  const [schedule, setSchedule] = useState(false);

  const change = async (what: Promise<Outcome<unknown>>, done: string) => {
    setBusy(true);
    const outcome = await what;
    setBusy(false);

    if (outcome.kind === "ok") {
      say(done);
    } else {
      say(`Nothing was changed. ${refusalWords(outcome).text}`, "bad");
    }

    renewCamera(camera.id);
    renew(camera.id);
  };

  const encrypt = (recordingEncrypted: boolean) =>
    void change(
      api.updateCamera(camera.id, { recordingEncrypted }, undefined),
      recordingEncrypted
        ? "Encrypted on disk from now on."
        : "No longer encrypted. What is encrypted stays so.",
    );

  const start = (body: RecordingStart, done: string) =>
    void change(api.recordings.start(camera.id, body), done);

  return (
    <>
      <RecordBadge camera={camera} state={state} />
      {camera.recordingEncrypted && (
        <span
          className="badge"
          role="img"
          aria-label="Encrypted on disk"
          title="Recordings are encrypted on disk."
        >
          <Icon name="lock" size={14} />
        </span>
      )}
      <span className="recordings-space" />
      {writes && (
        <>
          {camera.isRecording ? (
            <Button
              small
              icon="stop"
              busy={busy}
              onClick={() =>
                void change(
                  api.recordings.stop(camera.id),
                  "Recording ends. What was recorded stays.",
                )
              }
            >
              Stop recording
            </Button>
          ) : (
            <Button
              small
              icon="record"
              busy={busy}
              onClick={() => start({}, "Recording begins.")}
            >
              Start recording
            </Button>
          )}
          <Menu label="More about recording" button={<Icon name="more" />}>
            <MenuItem icon="clock" onClick={() => setSchedule(true)}>
              Weekly schedule
            </MenuItem>
            <MenuItem
              icon={camera.recordingEncrypted ? "unlock" : "lock"}
              onClick={() => encrypt(!camera.recordingEncrypted)}
            >
              {camera.recordingEncrypted ? "Stop encrypting" : "Encrypt on disk"}
            </MenuItem>
            {!camera.isRecording && (
              <MenuItem
                icon="record"
                onClick={() =>
                  start(EVENT, "Recorded for five minutes, and ten seconds before.")
                }
              >
                Record five minutes
              </MenuItem>
            )}
          </Menu>
        </>
      )}
      {schedule && (
        <ScheduleDialog camera={camera} onClose={() => setSchedule(false)} />
      )}
    </>
  );
}

function RecordBadge(props: {
  camera: Pick<Camera, "isRecording">;
  state: StreamState["recording"] | null;
}) {
  const { word, tone, title } = recordWords(props.camera, props.state);

  return (
    <span className="badge" data-tone={tone} title={title} role="status">
      <i aria-hidden="true" />
      {word}
    </span>
  );
}

interface RecordWords {
  word: string;
  tone: Tone;
  title?: string;
}

export function recordWords(
  camera: Pick<Camera, "isRecording">,
  state: StreamState["recording"] | null,
): RecordWords {
  switch (state?.state) {
    case "recording":
      return { word: "Recording", tone: "bad" };
    case "waiting":
      return {
        word: "Waiting for the camera",
        tone: "warn",
        title: "It is recorded as soon as it sends.",
      };
    case "noSpace":
      return {
        word: "No space",
        tone: "bad",
        title: "The disks are full and nothing may be removed.",
      };
    case "diskError":
      return { word: "Disk error", tone: "bad" };
    case "noKey":
      return {
        word: "No key",
        tone: "bad",
        title: "It is to be encrypted, and there is no key: nothing is recorded.",
      };
    default:
      return camera.isRecording
        ? {
            word: "Not now",
            tone: "calm",
            title: "It begins soon, or its schedule says not now.",
          }
        : { word: "Not recorded", tone: "calm" };
  }
}
