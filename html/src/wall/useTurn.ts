/* Turns to play for the cells of a wall (turns.ts). */

import { createContext, useContext, useEffect, useState } from "react";
import { type Turn, Turns } from "./turns";

export const WallTurns = createContext(new Turns());

const LINGER_MS = 5000;

/* whether it is this cell's turn; undefined when it does not want one */
export function useTurn(order: number, wanted: boolean): Turn | undefined {
  const turns = useContext(WallTurns);
  const [turn, setTurn] = useState<Turn>();

  useEffect(() => {
    if (!wanted) {
      setTurn(undefined);
      return;
    }

    return turns.ask(order, setTurn);
  }, [turns, order, wanted]);

  return wanted ? turn : undefined;
}

/* what comes back in a moment did not go: a look at another tab stops nothing */
export function useLingering(on: boolean): boolean {
  const [lingers, setLingers] = useState(on);

  useEffect(() => {
    if (on) {
      setLingers(true);
      return;
    }

    const timer = setTimeout(() => setLingers(false), LINGER_MS);

    return () => clearTimeout(timer);
  }, [on]);

  return on || lingers;
}
