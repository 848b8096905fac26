import type { Camera } from "../types";
import { cameraWords } from "./status";

interface BadgeProps {
  camera: Pick<Camera, "isActive" | "streamStatus">;
  onPicture?: boolean;
}

export function StatusBadge({ camera, onPicture }: BadgeProps) {
  const { word, tone } = cameraWords(camera);

  return (
    <span
      className="badge"
      data-tone={tone}
      data-on-picture={onPicture === true ? "" : undefined}
    >
      <i aria-hidden="true" />
      {word}
    </span>
  );
}
