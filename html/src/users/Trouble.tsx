/* What was refused and belongs to no field. */

import { Notice, RefusalNotice } from "../design/Notice";
import type { Refusal } from "../outcome";
import { isAtField } from "./form";

export function Trouble({ refusal }: { refusal: Refusal | undefined }) {
  if (refusal === undefined || isAtField(refusal)) {
    return null;
  }

  return refusal.kind === "missing" ? (
    <Notice tone="bad" title="There is no such user any more" />
  ) : (
    <RefusalNotice refusal={refusal} />
  );
}
