/* Puts the parts together; everything that lives once is made here. */

import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import "@fontsource-variable/inter";
import "./design/tokens.css";
import "./design/base.css";
import "./design/parts.css";
import { Api, auth } from "./api";
import { App } from "./app/App";
import { Reach } from "./app/reach";
import { Services } from "./app/services";
import { Toasts } from "./design/Toasts";
import { Session } from "./session";
import { browserTabs } from "./tabs";

const session = new Session(auth, browserTabs());
const reach = new Reach();
const api = new Api(session, (outcome) => {
  reach.note(outcome);
  session.note(outcome);
});

/* what fails is shown, and asked again from there (queries.ts) */
const client = new QueryClient({
  defaultOptions: {
    queries: { networkMode: "always", retry: false, staleTime: 2000 },
    mutations: { networkMode: "always", retry: false },
  },
});

const root = document.getElementById("root");

if (root === null) {
  throw new Error('no element "root"');
}

createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <Services.Provider value={{ api, session, reach }}>
        <Toasts>
          <App />
        </Toasts>
      </Services.Provider>
    </QueryClientProvider>
  </StrictMode>,
);

void session.start();
