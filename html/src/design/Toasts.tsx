/* Short messages about what was just done; they leave by themselves. */

import { createContext, type ReactNode, useContext, useState } from "react";
import { Icon } from "./Icon";

type Say = (text: string) => void;

const SHOWN_MS = 5000;
const Context = createContext<Say>(() => undefined);

let count = 0;

export function useToast(): Say {
  return useContext(Context);
}

export function Toasts({ children }: { children: ReactNode }) {
  const [shown, setShown] = useState<{ id: number; text: string }[]>([]);

  const [say] = useState<Say>(() => (text: string) => {
    const id = ++count;

    setShown((before) => [...before, { id, text }]);
    setTimeout(() => {
      setShown((before) => before.filter((one) => one.id !== id));
    }, SHOWN_MS);
  });

  return (
    <Context.Provider value={say}>
      {children}
      <div className="toasts" role="status" aria-live="polite">
        {shown.map(({ id, text }) => (
          <div className="toast" key={id}>
            <Icon name="check" size={16} />
            {text}
          </div>
        ))}
      </div>
    </Context.Provider>
  );
}
