/* What both players have under their picture. */

import { Icon, type IconName } from "../design/Icon";

interface ControlProps {
  icon: IconName;
  label: string;
  disabled?: boolean;
  toggles?: boolean; // playing: the space bar presses it
  onClick: () => void;
}

export function Control(props: ControlProps) {
  const { icon, label, disabled, toggles, onClick } = props;

  return (
    <button
      type="button"
      className="player-control"
      aria-label={label}
      title={label}
      disabled={disabled}
      data-toggle={toggles === true ? "" : undefined}
      onClick={onClick}
    >
      <Icon name={icon} size={20} />
    </button>
  );
}

/* the stage with its words; an iPhone gives the screen to its video only */
export function fillScreen(
  stage: HTMLElement | null,
  video: HTMLVideoElement | null,
): void {
  if (document.fullscreenElement !== null) {
    void document.exitFullscreen();
  } else if (stage?.requestFullscreen !== undefined) {
    void stage.requestFullscreen().catch(() => undefined);
  } else {
    const phone = video as { webkitEnterFullscreen?: () => void } | null;

    phone?.webkitEnterFullscreen?.();
  }
}

export function toggleSmallWindow(video: HTMLVideoElement | null): void {
  if (document.pictureInPictureElement !== null) {
    void document.exitPictureInPicture();
  } else {
    void video?.requestPictureInPicture().catch(() => undefined);
  }
}
