/* Short messages about what was just done; they leave by themselves. */

import { createContext, type ReactNode, useContext, useState } from "react";
import { Icon } from "./Icon";

type Say = (text: string, isBad?: "bad") => void;

const SHOWN_MS = 5000;
const Context = createContext<Say>(() => undefined);

let count = 0;

interface Toast {
  id: number;
  text: string;
  isBad: boolean;
}

export function useToast(): Say {
  return useContext(Context);
}

export function Toasts({ children }: { children: ReactNode }) {
  const [shown, setShown] = useState<Toast[]>([]);

  const [say] = useState<Say>(() => (text: string, isBad?: "bad") => {
    const id = ++count;

    setShown((before) => [...before, { id, text, isBad: isBad === "bad" }]);
    setTimeout(() => {
      setShown((before) => before.filter((one) => one.id !== id));
    }, SHOWN_MS);
  });

  return (
    <Context.Provider value={say}>
      {children}
      <div className="toasts" role="status" aria-live="polite">
        {shown.map(({ id, text, isBad }) => (
          <div className="toast" key={id}>
            <Icon name={isBad ? "alert" : "check"} size={16} />
            {text}
          </div>
        ))}
      </div>
    </Context.Provider>
  );
}
