/* A text to be pasted somewhere else, whole, with one click. */

import { useEffect, useId, useState } from "react";
import { Button } from "./Button";

interface CopyProps {
  label: string;
  text: string;
  hint?: string;
}

const SHOWN_MS = 2000;

export function Copy({ label, text, hint }: CopyProps) {
  const [copied, setCopied] = useState(false);
  const id = useId();

  useEffect(() => {
    if (copied) {
      const timer = setTimeout(() => setCopied(false), SHOWN_MS);
      return () => clearTimeout(timer);
    }
    return undefined;
  }, [copied]);

  const copy = () => {
    void write(text, document.getElementById(id)).then(setCopied);
  };

  return (
    <div className="field">
      <div className="copy-head">
        <span className="field-label">{label}</span>
        <Button
          look="quiet"
          small
          icon={copied ? "check" : "copy"}
          aria-label={`Copy: ${label}`}
          onClick={copy}
        >
          {copied ? "Copied" : "Copy"}
        </Button>
      </div>
      <code className="copy" id={id}>
        {text}
      </code>
      {hint !== undefined && <p className="field-hint">{hint}</p>}
      <span className="for-readers" role="status">
        {copied ? `${label} copied` : ""}
      </span>
    </div>
  );
}

/* pages without TLS have no clipboard: there the text is at least selected */
async function write(text: string, shown: HTMLElement | null) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    if (shown !== null) {
      getSelection()?.selectAllChildren(shown);
    }
    return false;
  }
}
