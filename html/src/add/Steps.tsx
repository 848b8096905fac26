/* Where in adding a camera one is. */

import { Icon } from "../design/Icon";

const STEPS = ["Describe", "Connect", "Watch"] as const;

export function Steps({ at }: { at: 0 | 1 | 2 }) {
  return (
    <ol className="steps">
      {STEPS.map((name, n) => (
        <li
          key={name}
          data-state={n < at ? "done" : n === at ? "now" : "later"}
          aria-current={n === at ? "step" : undefined}
        >
          <span className="step-mark">
            {n < at ? <Icon name="check" size={14} /> : n + 1}
          </span>
          {name}
        </li>
      ))}
    </ol>
  );
}
