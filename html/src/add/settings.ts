/*
 * The exact settings for one camera, out of the one address it pushes to:
 *
 *     rtmps://HOST:1936/live/CAMERA_KEY?token=TOKEN
 *
 * Everything is a text to be pasted as it is.
 */

export interface Address {
  whole: string;
  server: string; // as OBS wants it: up to the application
  key: string; // the rest, token included
  host: string;
  port: string;
  encrypted: boolean;
}

const PORTS: Record<string, string> = { "rtmp:": "1935", "rtmps:": "443" };

/* undefined when it is not such an address */
export function readAddress(text: string): Address | undefined {
  const match = /^(rtmps?:)\/\/([^/?#]+)\/([^/?#]+)\/([^#]+)$/.exec(text);

  if (match === null) {
    return undefined;
  }

  const [, scheme = "", authority = "", application = "", key = ""] = match;
  const [, host = authority, port] =
    /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(authority) ?? [];

  return {
    whole: text,
    server: `${scheme}//${authority}/${application}`,
    key,
    host,
    port: port ?? PORTS[scheme] ?? "",
    encrypted: scheme === "rtmps:",
  };
}

export type Source = "test" | "file" | "rtsp";

export const SOURCES: readonly [Source, string][] = [
  ["test", "A test picture"],
  ["file", "A file"],
  ["rtsp", "An RTSP camera"],
];

/* a key frame every two seconds and no B-frames: quick to start, good for all */
const ENCODE = "-c:v libx264 -preset veryfast -tune zerolatency -pix_fmt yuv420p -g 50 -bf 0 -c:a aac";

/*
 * Double quotes serve in sh, PowerShell and cmd.exe alike: an address has
 * nothing in it that any of them would read between those.
 */
export function ffmpegCommand(source: Source, address: Address): string {
  const input: Record<Source, string> = {
    test: '-re -f lavfi -i "testsrc2=size=1280x720:rate=25" -f lavfi -i "sine=frequency=440"',
    file: '-re -stream_loop -1 -i "FILE.mp4"',
    rtsp: '-rtsp_transport tcp -i "rtsp://USER:PASSWORD@CAMERA/STREAM"',
  };
  const codec = source === "rtsp" ? "-c:v copy -c:a aac" : ENCODE;

  return `ffmpeg ${input[source]} ${codec} -f flv "${address.whole}"`;
}

/* what to look at while nothing arrives, most likely first */
export function hints(address: Address, how: "ffmpeg" | "obs" | "camera") {
  const common = [
    "Is the address whole? It is long, and some fields cut it without a word. A short key helps there.",
    `Does the way lead here? ${address.host} must be reachable from the camera on TCP port ${address.port}.`,
  ];

  switch (how) {
    case "ffmpeg":
      return [
        "What does FFmpeg say? Its last lines name the reason.",
        ...common,
      ];

    case "obs":
      return [
        "Server and stream key are two fields; neither may have a blank at its end.",
        ...(address.encrypted
          ? [
              "OBS wants a certificate that its system trusts. One that the server made for itself is refused.",
            ]
          : []),
        ...common,
      ];

    case "camera":
      return [
        ...common,
        "Is the video H.264? Many cameras send H.265 unless told otherwise.",
        ...(address.encrypted
          ? ["Is the camera's clock right? A wrong date makes it distrust every certificate."]
          : []),
      ];
  }
}
