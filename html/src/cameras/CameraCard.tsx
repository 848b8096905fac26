/* One camera of the list: its newest picture, its name, where it is. */

import { memo, useRef } from "react";
import { useMay } from "../app/services";
import { Icon, type IconName } from "../design/Icon";
import { href } from "../router";
import type { Camera } from "../types";
import { usePoster } from "./posters";
import { StatusBadge } from "./StatusBadge";
import { useSeen } from "./useSeen";

/* sharp on dense screens, small on others */
const WIDTH = window.devicePixelRatio > 1.2 ? 640 : 320;

export const CameraCard = memo(function CameraCard(props: { camera: Camera }) {
  const { camera } = props;
  const ref = useRef<HTMLAnchorElement>(null);
  const views = useMay("streams:view");
  const seen = useSeen(ref);
  const live = camera.isActive && camera.streamStatus === "online";
  const coming = camera.isActive && camera.streamStatus === "connecting";
  const poster = usePoster(camera.id, WIDTH, seen && live && views);

  return (
    <a
      ref={ref}
      className="camera-card"
      href={href({ kind: "camera", id: camera.id })}
      data-camera={camera.id}
      data-status={camera.streamStatus}
    >
      <span className="poster" data-old={!live}>
        {poster.url !== undefined ? (
          <img src={poster.url} alt="" />
        ) : (
          <span className="poster-none">
            {(live && views && !poster.failed) || coming ? (
              <span className="spinner" />
            ) : (
              <Icon name={noPictureIcon(live, views)} size={26} />
            )}
          </span>
        )}
        <StatusBadge camera={camera} onPicture />
        {live && camera.isRecording && <Rec />}
      </span>
      <span className="camera-name">{camera.name}</span>
      <span className="camera-place">
        {[camera.place, camera.location].filter(Boolean).join(" · ")}
      </span>
    </a>
  );
});

/* what is wanted; whether it can be done is told on the camera's own screen */
export function Rec() {
  return (
    <span className="rec" title="Recorded">
      <i aria-hidden="true" />
      REC
    </span>
  );
}

function noPictureIcon(live: boolean, views: boolean): IconName {
  if (!live) {
    return "camera-off";
  }

  return views ? "camera" : "lock";
}

export function CameraCardSkeleton() {
  return (
    <div className="camera-card" aria-hidden="true">
      <span className="poster skeleton" />
      <span className="skeleton skeleton-line" />
      <span className="skeleton skeleton-line" data-short />
    </div>
  );
}
