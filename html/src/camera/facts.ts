/* Numbers and names of a stream, as people say them. */

export function bitrate(bits: number): string {
  return bits >= 1_000_000
    ? `${(bits / 1_000_000).toFixed(1)} Mbit/s`
    : `${Math.round(bits / 1000)} kbit/s`;
}

export function frames(fps: number): string {
  return `${Math.round(fps * 100) / 100} per second`;
}

/* 1920x1080 → 1920 × 1080 */
export function resolution(text: string): string {
  return text.replace(/x/i, " × ");
}

/* avc1.64001f,mp4a.40.2 → H.264 High, AAC */
export function codecs(text: string): string {
  return text
    .split(",")
    .map((one) => codec(one.trim()))
    .join(", ");
}

function codec(name: string): string {
  const [, profile] = /^avc[13]\.([0-9a-f]{2})/i.exec(name) ?? [];

  if (profile !== undefined) {
    return ["H.264", PROFILES[profile.toLowerCase()]].filter(Boolean).join(" ");
  }

  if (/^(hvc1|hev1)/.test(name)) {
    return "H.265";
  }

  if (/^av01/.test(name)) {
    return "AV1";
  }

  return /^mp4a\.40/.test(name) ? "AAC" : name;
}

const PROFILES: Record<string, string> = {
  "42": "Baseline",
  "4d": "Main",
  "64": "High",
};

export function ago(then: string, now: number = Date.now()): string {
  const seconds = Math.max(0, (now - Date.parse(then)) / 1000);

  if (seconds < 5) {
    return "now";
  }

  if (seconds < 60) {
    return `${Math.round(seconds)} seconds ago`;
  }

  for (const [limit, unit, word] of STEPS) {
    if (seconds < limit) {
      const n = Math.round(seconds / unit);

      return n === 1 ? `1 ${word} ago` : `${n} ${word}s ago`;
    }
  }

  return day(then);
}

const STEPS: readonly [number, number, string][] = [
  [3570, 60, "minute"],
  [84_600, 3600, "hour"],
  [30 * 86_400, 86_400, "day"],
];

export function day(then: string): string {
  return new Date(then).toLocaleDateString(undefined, { dateStyle: "medium" });
}

export function moment(then: string): string {
  return new Date(then).toLocaleString(undefined, {
    dateStyle: "medium",
    timeStyle: "short",
  });
}
